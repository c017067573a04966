"""Where store and index are is told to whoever looks after the machine, and to nobody else."""

import argon2
import pytest
from fastapi.testclient import TestClient
from small import PRODUCTS, TODAY

from corpus.store import Store
from service.access import Rules
from service.app import create_app
from service.discretion import PLACE, discreet
from service.workspace import Workspace


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("không ghi được vào {folder}: kiểm tra", f"không ghi được vào {PLACE}: kiểm tra"),
        ("{folder}/cungcau.sqlite đã hỏng", f"{PLACE} đã hỏng"),
        ("bảng /srv/kho/lexicon/a.csv dòng 3", f"bảng {PLACE} dòng 3"),
        ("không kết nối được tới postgresql+psycopg://a:***@máy:5432/b: kiểm tra",
         f"không kết nối được tới {PLACE}: kiểm tra"),
        ("chạy `cungcau index` và/hoặc chờ", "chạy `cungcau index` và/hoặc chờ"),
    ],
)  # fmt: skip
def test_a_message_keeps_what_to_do_and_loses_where(tmp_path, message, told):
    folder = tmp_path / "kho dữ liệu"
    assert discreet(message.format(folder=folder), folder) == told


URLS = ("/api/v1/search?q=x", "/ready", "/san-pham")


def test_readers_and_strangers_are_not_told_where(tmp_path):
    with Store.create(tmp_path) as store:
        store.save(PRODUCTS)
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "CURRENT").write_text("snapshot-gone")

    def told_where(client, url, shown=None):
        answer = client.get(url, headers=shown)
        assert answer.status_code == 503 and "cungcau index" in answer.text
        return str(tmp_path) in answer.text

    with TestClient(create_app(Workspace(tmp_path), TODAY, 0.0)) as near:
        assert all(told_where(near, url) for url in URLS)
    app = create_app(Workspace(tmp_path), TODAY, 0.0, Rules(local=False))
    register = app.state.register
    register.accounts._hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    shown = {}
    for role in ("administrator", "reader"):
        register.accounts.add(role, role, role, "một câu dài dễ nhớ")
        shown[role] = {"Authorization": f"Bearer {register.tokens.issue(role, 'x', 'admin')[1]}"}
    with TestClient(app) as far:
        assert not told_where(far, "/ready")
        assert not any(told_where(far, url, shown["reader"]) for url in URLS)
        assert told_where(far, "/api/v1/search?q=x", shown["administrator"])
