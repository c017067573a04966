"""The pages from outside: what they say and never say; nothing typed becomes HTML."""

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from small import NEEDS, TODAY

from corpus.records import Need, Technology
from corpus.store import Store
from corpus.text import Span
from matcher.match import Matcher
from matcher.search import EncoderFailed, Engine
from service.app import create_app
from service.pages import catalogue, groups, render
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
    "/tim-kiem-da-luu",
    "/khong-co",
)
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def house(small_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small collection and a nasty record; nobody changes it."""
    folder = Path(shutil.copytree(small_folder, tmp_path_factory.mktemp("house") / "data"))
    with Store.open(folder) as store:
        store.save([NASTY])
    Workspace(folder).build(None)
    return folder


@pytest.fixture(scope="module")
def client(house: Path) -> Iterator[TestClient]:
    with served(Workspace(house)) as client:
        yield client


@pytest.fixture
def space(house: Path, tmp_path: Path) -> Workspace:
    """One's own copy, to be changed."""
    return Workspace(Path(shutil.copytree(house, tmp_path / "data")))


@pytest.fixture
def own(space: Workspace) -> Iterator[TestClient]:
    with served(space) as client:
        yield client


def served(space: Workspace) -> TestClient:
    app = create_app(space, TODAY, every=0.0)
    return TestClient(app, base_url="http://localhost", headers=HTML)


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


def test_a_changed_order_says_why(own: TestClient, space: Workspace) -> None:
    address = "/?q=sấy vải thiều bằng hơi nước"
    told = "Thứ tự đã đổi so với lần xem trước"
    assert told not in own.get(address).text
    assert told not in own.get(address).text
    with Store.open(space.folder) as store:
        store.save([LATER])
    space.build(None)
    text = own.get(address).text
    assert told in text and "chỉ mục mới (1 thay đổi dữ liệu" in text
    assert "mới so với lần xem trước" in text[: text.index("</article>")]
    assert told not in own.get(address).text


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


# Takers -------------------------------------------------------------------------------------------


def test_takers_come_after_the_page_and_are_ranked_once(
    own: TestClient, space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranked: list[str] = []
    real = Matcher.sought

    def counting(self: Matcher, need: Need) -> object:
        ranked.append(need.id)
        return real(self, need)

    monkeypatch.setattr(Matcher, "sought", counting)
    monkeypatch.setattr(catalogue, "FEW", 0)  # as where there are many needs
    page = own.get("/cong-nghe/CN-1").text
    assert 'data-later="?ai-can=1"' in page and "/nhu-cau/N-1" not in page and ranked == []
    assert "/nhu-cau/N-1" in own.get("/cong-nghe/CN-1?ai-can=1").text
    assert sorted(ranked) == [each.id for each in NEEDS]
    assert "/nhu-cau/N-2" in own.get("/cong-nghe/CN-2").text  # another one's are told at once
    with Store.open(space.folder) as store:
        store.save([NEEDS[0].model_copy(update={"text": "Sấy dẻo quả vải"})])
    own.get("/cong-nghe/CN-1?ai-can=1")
    assert ranked[len(NEEDS) :] == ["N-1"]  # only what changed is ranked again


def test_what_walks_all_records_is_done_before_the_first_reader_comes(
    house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Workspace(house), TODAY, every=60.0)
    with TestClient(app, base_url="http://localhost", headers=HTML) as client:
        monkeypatch.setattr(groups, "in_order", None)  # fails where it is called now
        assert client.get("/cong-nghe").status_code == 200


# History ------------------------------------------------------------------------------------------


def change(space: Workspace, key: str, actor: str, **facts: object) -> None:
    with Store.open(space.folder) as store, store.writing(actor, "2026-11-30T03:05:00Z") as desk:
        found = desk.get(Technology, key)
        assert found is not None
        desk.edit(found.model_copy(update=facts), found.content_hash())


def test_a_technology_tells_who_changed_what_and_nothing_hidden(
    own: TestClient, space: Workspace
) -> None:
    change(space, "CN-8", "lan", trl=8, detail="Chủng CX-99")
    change(space, "CN-8", "minh", effect="Tỷ lệ sống 95 %")
    change(space, "CN-8", "chi", contact="bà Chi", restricted=("detail", "effect", "cost_from"))
    page = own.get("/cong-nghe/CN-8").text
    story = page[page.index('id="lich-su"') : page.index("<aside")]
    assert "Sửa, 30/11/2026 10:05" in story and "(lan)" in story
    assert re.search(r"TRL: <del>7</del> → <ins>8</ins>", story)
    assert "minh" not in story  # what he changed is hidden, so nothing was changed
    assert not any(each in page for each in ("CX-99", "95 %", *SECRETS))
    assert "Liên hệ" not in story  # it was hidden when it was changed


# Kept searches ------------------------------------------------------------------------------------


def test_a_kept_search_tells_what_is_new_until_it_was_seen(
    own: TestClient, space: Workspace
) -> None:
    sent = {"cau": "q=s%E1%BA%A5y+v%E1%BA%A3i&page=2"}
    page = own.post("/tim-kiem-da-luu", data=sent).text
    assert "Đã lưu tìm kiếm “sấy vải”" in page
    assert "Tìm kiếm này đã lưu" in own.post("/tim-kiem-da-luu", data=sent).text
    assert "Không có gì mới" in own.get("/tim-kiem-da-luu").text
    with Store.open(space.folder) as store:
        store.save([LATER])
    space.build(None)
    page = own.get("/tim-kiem-da-luu").text
    assert "1 kết quả mới" in page and str(LATER.name) in page
    assert 'href="/?q=s%E1%BA%A5y+v%E1%BA%A3i"' in page
    tag = re.findall(r'name="etag" value="([^"]*)"', page)[0]
    page = own.post("/tim-kiem-da-luu/TK-0001/da-xem", data={"etag": tag}).text
    assert "Không có gì mới" in page
    tag = re.findall(r'name="etag" value="([^"]*)"', page)[0]
    own.post("/tim-kiem-da-luu/TK-0001/xoa", data={"etag": tag})
    assert "Chưa có tìm kiếm nào" in own.get("/tim-kiem-da-luu").text


# Faults -------------------------------------------------------------------------------------------


def test_a_failing_encoder_is_told_and_its_answers_are_not_kept(
    own: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise EncoderFailed("hết bộ nhớ")

    told = "lần này chỉ tìm theo từ ngữ"
    with monkeypatch.context() as failing:
        failing.setattr(Engine, "_vector", broken)
        for path in ("/?q=sấy vải", "/nhu-cau/N-1", "/san-pham/SP-1"):
            assert told in own.get(path).text
        added = own.post("/danh-sach/them", data={"cong-nghe": ["CN-1"], "q": "sấy vải"})
        assert "Đã lập danh sách DS-0001 với 1 dòng" in added.text
    for path in ("/?q=sấy vải", "/nhu-cau/N-1", "/san-pham/SP-1"):
        assert told not in own.get(path).text


def test_without_an_index_pages_say_what_to_do_and_lists_go_on(space: Workspace) -> None:
    shutil.rmtree(space.index_folder)
    with served(space) as client:
        for path in ("/?q=sấy", "/cong-nghe/CN-1", "/san-pham", "/tim-kiem-da-luu"):
            answer = client.get(path)
            assert answer.status_code == 503
            assert "cungcau index" in answer.text and 'href="/danh-sach"' in answer.text
        assert client.get("/danh-sach").status_code == 200
        assert client.get("/nhap-du-lieu").status_code == 200
