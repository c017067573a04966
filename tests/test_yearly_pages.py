"""The page of the yearly run: begun, watched, stopped, gone on with, read, downloaded."""

import threading
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.store import Store
from matcher import run_folder
from service.app import create_app
from service.workspace import Workspace
from service.yearly_jobs import Jobs

HOME = "/ke-hoach-nam"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    needs = [*NEEDS[:3], NEEDS[3].model_copy(update={"illustrative": True, "stage": "thu hoạch"})]
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *needs])
    space = Workspace(folder)
    space.build(None)
    with TestClient(create_app(space, TODAY, 0.0)) as client:
        yield client, space


def wait(space, name):
    """Wait until nobody works on a run."""
    for each in threading.enumerate():
        if each.name == f"yearly {name}":
            each.join(120)
    return Jobs(space).get(name)


def test_from_the_first_run_to_the_next(service):
    client, space = service
    assert "Chưa chạy đợt nào" in client.get(HOME).text
    begun = client.post(HOME, data={}, follow_redirects=False)
    assert begun.headers["location"] == f"{HOME}/dot-{TODAY}"
    job = wait(space, f"dot-{TODAY}")
    assert (job.state, job.done, job.total, job.actor) == ("done", 4, 4, "cán bộ")
    page = client.get(f"{HOME}/{job.name}").text
    for told in ("DỮ LIỆU MINH HỌA", "Sản phẩm × khâu", "Dự thảo danh mục đặt hàng",
                 "chỉ có tham khảo", "Vải thiều Lục Ngạn"):  # fmt: skip
        assert told in page
    book = load_workbook(BytesIO(client.get(f"{HOME}/{job.name}/tai/do-phu.xlsx").content))
    assert "Danh mục đặt hàng" in book.sheetnames
    for name in ("ket-qua.xlsx", "run.json", "needs.parquet", "matches.parquet"):
        answer = client.get(f"{HOME}/{job.name}/tai/{name}")
        assert answer.content == (job.folder / name).read_bytes()
    client.post(HOME, data={"dot_truoc": job.name})
    second = wait(space, f"dot-{TODAY}-2")
    assert second.state == "done" and second.since == job.name
    assert (second.folder / "run.json").read_bytes() == (job.folder / "run.json").read_bytes()
    page = client.get(f"{HOME}/{second.name}").text
    assert f"Thay đổi so với {job.name}" in page and "Không có gì thay đổi." in page
    assert page.count("đang chạy") == 0


def test_a_run_is_stopped_and_gone_on_with(service, monkeypatch):
    client, space = service
    before = len(Jobs(space).all())
    reached, may_go = threading.Event(), threading.Event()
    real = Jobs._ticking

    def slow(self, told):
        tick = real(self, told)

        def waiting(done, total):
            reached.set()
            may_go.wait(60)
            tick(done, total)

        return waiting

    monkeypatch.setattr(Jobs, "_ticking", slow)
    name = client.post(HOME, data={}, follow_redirects=False).headers["location"].split("/")[-1]
    assert reached.wait(60)
    assert len(Jobs(space).all()) == before + 1
    page = client.get(f"{HOME}/{name}").text
    assert "<progress" in page and "Dừng" in page
    told = client.post(HOME, data={}).text
    assert len(Jobs(space).all()) == before + 1
    assert "Một đợt khác đang chạy" in told and "Đang chạy đợt" in told
    assert "phần đã xong được giữ" in client.post(f"{HOME}/{name}/dung").text
    may_go.set()
    assert wait(space, name).state == "stopped"
    assert "Chạy tiếp" in client.get(f"{HOME}/{name}").text
    assert client.get(f"{HOME}/{name}/tai/ket-qua.xlsx").status_code == 404
    monkeypatch.undo()
    client.post(f"{HOME}/{name}/tiep")
    assert wait(space, name).state == "done"


def test_what_went_wrong_is_told_on_the_page(service, monkeypatch):
    client, space = service
    monkeypatch.setattr("service.yearly.made", lambda *_: (_ for _ in ()).throw(
        run_folder.RunFolderError("chỉ mục chưa gồm 3 thay đổi mới nhất")))  # fmt: skip
    place = client.post(HOME, data={}, follow_redirects=False).headers["location"]
    job = wait(space, place.rpartition("/")[2])
    assert job.state == "stopped"
    assert "Chạy không xong: chỉ mục chưa gồm 3 thay đổi mới nhất" in client.get(place).text


def test_runs_that_are_not_there(service):
    client, _ = service
    for path in ("dot-2020-01-01", "..%2Findex", "dot-2020-01-01/tai/run.json"):
        assert client.get(f"{HOME}/{path}").status_code == 404
    refused = client.post(HOME, data={"dot_truoc": "dot-2020-01-01"})
    assert refused.status_code == 422
