"""The pages from outside: what they say and never say; nothing typed becomes HTML."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY, write_tables

from corpus.records import Technology
from corpus.store import Store
from corpus.text import Span
from service.app import create_app
from service.pages import render
from service.workspace import Workspace

SCRIPT = "<script>alert(1)</script>"
NASTY = Technology(
    id="CN/9 <i>", name=f"Sấy vải {SCRIPT}", summary=f"Sấy vải nhanh {SCRIPT}", owner="Cty A&B <b>",
    contact='"><img src=x>', products=("vải",), illustrative=True, kind="thiết bị", year=2025,
)  # fmt: skip
LATER = Technology(id="CN-10", name="Sấy vải thiều bằng hơi nước", products=("vải",), year=2026)
SECRETS = ("BX-77", "khử nitrit", "92 %", "Nguyễn Văn Thử")
ADDRESSES = (
    "/",
    "/?q=sấy vải",
    "/?q=bx-77 khử nitrit",
    "/san-pham",
    "/san-pham/SP-1",
    "/cong-nghe",
    "/cong-nghe/CN-8",
    "/nhu-cau/N-1",
    "/tong-quan",
    "/khong-co",
)
HTML = {"accept": "text/html"}


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    space = Workspace(tmp_path)
    space.tables.mkdir()
    space.copy_tables()
    write_tables(space.tables)
    with Store.create(tmp_path) as store:
        for each in (*TECHNOLOGIES, NASTY, *PRODUCTS, *NEEDS):
            store.save([each])
    space.build(None)
    return space


@pytest.fixture
def client(space: Workspace) -> Iterator[TestClient]:
    with TestClient(create_app(space, TODAY, every=0.0), headers=HTML) as client:
        yield client


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_is_whole_and_tells_no_secret(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == (404 if address == "/khong-co" else 200)
    asked = "bx-77" in address
    for each in SECRETS:
        assert each not in answer.text or (asked and each == "khử nitrit")
    assert '<html lang="vi">' in answer.text and "</html>" in answer.text
    assert not re.search(r'\sstyle="|\son\w+="|<style|<script(?! src="/static/)', answer.text)
    for link in re.findall(r'(?:src|href)="([^"]*)"', answer.text):
        assert link.startswith(("/", "#", "?")) or link == ""


def test_nothing_typed_or_stored_becomes_html(client: TestClient) -> None:
    for address in (f"/?q=sấy vải {SCRIPT}", "/cong-nghe", f"/cong-nghe/{quote(NASTY.id)}",
                    f"/so-huu/{quote(str(NASTY.owner))}", f"/san-pham?q={SCRIPT}",
                    f"/cong-nghe/{quote(SCRIPT, safe='')}"):  # fmt: skip
        text = client.get(address).text
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>" not in text
        assert "script&gt;" in text or "A&amp;B" in text


def test_a_result_says_label_reason_use_acceptance_age_and_marks_words(client: TestClient) -> None:
    text = client.get("/?q=sấy vải").text
    first = text[text.index("<article") : text.index("</article>")]
    assert re.search(r"<mark>[Ss]ấy[^<]*</mark>", first)
    for each in ("Đang dùng tại", "Nghiệm thu", "Tuổi bản ghi", "Đơn vị", "Liên hệ", "chưa rõ"):
        assert each in first
    assert first.index("label ") < first.index("badges") < first.index("<details")


def test_unanswerable_questions_are_told_plainly(client: TestClient) -> None:
    text = client.get("/?q=tàu vũ trụ").text
    assert "Chưa tìm thấy trong cơ sở dữ liệu" in text


def test_what_breaks_a_rule_stands_below_with_the_reason(client: TestClient) -> None:
    text = client.get("/?q=bảo quản vải bằng khí điều biến&budget=100").text
    assert 'href="#khong-dat"' in text
    below = text[text.index('id="khong-dat"') :]
    assert "chi phí thấp nhất 450 triệu đồng, vượt 100 triệu" in below


def test_an_address_that_was_cut_is_read_as_far_as_it_can_be(client: TestClient) -> None:
    answer = client.get("/?q=sấy vải&page=abc&budget=rẻ&trl_min=99")
    assert answer.status_code == 200
    assert "Không hiểu số trang" in answer.text and "Không hiểu kinh phí" in answer.text


def test_hidden_parts_read_as_such(client: TestClient) -> None:
    text = client.get("/cong-nghe/CN-8").text
    assert text.count("theo NDA") >= 3  # detail, effect, contact, price


def test_unknown_ids_are_pages_to_people_and_one_body_to_programs(client: TestClient) -> None:
    for path in ("/san-pham/x", "/nhu-cau/x", "/cong-nghe/x", "/so-huu/x"):
        assert "<h1>Không có trang này</h1>" in client.get(path).text
        body = client.get(path, headers={"accept": "application/json"})
        assert body.status_code == 404 and set(body.json()) == {"error"}


def test_a_changed_order_says_why(client: TestClient, space: Workspace) -> None:
    address = "/?q=sấy vải thiều bằng hơi nước"
    told = "Thứ tự đã đổi so với lần xem trước"
    assert told not in client.get(address).text
    assert told not in client.get(address).text
    with Store.open(space.folder) as store:
        store.save([LATER])
    space.build(None)
    text = client.get(address).text
    assert told in text and "chỉ mục mới (1 thay đổi dữ liệu" in text
    assert "mới so với lần xem trước" in text[: text.index("</article>")]
    assert told not in client.get(address).text


def test_a_product_shows_its_needs_and_how_they_are_answered(client: TestClient) -> None:
    text = client.get("/san-pham/SP-1").text
    for need in ("N-1", "N-2", "N-4"):  # N-4 was stated for a part of it
        assert f"/nhu-cau/{need}" in text
    assert "Danh sách đề nghị" in text and 'name="ma" value="SP-1"' in text


def test_excerpts_keep_marks_inside_and_escape_the_rest() -> None:
    text = "a" * 300 + " <sấy> vải " + "b" * 300
    start = text.index("sấy")
    shown = str(render.excerpt(text, [Span("sấy", start, start + 3)], 60))
    assert "&lt;<mark>sấy</mark>&gt;" in shown and shown.startswith("… ") and shown.endswith(" …")


def test_dates_and_ids_are_written_as_people_and_browsers_read_them() -> None:
    assert render.day(dt.date(2026, 3, 5)) == "05/03/2026" and render.day(None) == "chưa rõ"
    assert render.key("CN/2024 01?") == "CN/2024%2001%3F"
    assert render.number(1234567.0) == "1.234.567"
