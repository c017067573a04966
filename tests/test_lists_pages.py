"""Match lists in the browser: from an offer or a need to the file that is handed over."""

import datetime as dt
import html
import re
import shutil

import pytest
from fastapi.testclient import TestClient
from small import TODAY

from corpus.records import Need, Technology
from corpus.store import Store
from corpus.workflow import MatchList
from service.app import create_app
from service.desk import Desk, Person
from service.desk_base import VIETNAM
from service.workspace import Workspace

LAN = Person("lan", "Lan", "officer")


@pytest.fixture
def space(small_folder, tmp_path):
    """The small collection, indexed by words alone."""
    return Workspace(shutil.copytree(small_folder, tmp_path / "data"))


def browser(space):
    app = create_app(space, TODAY, every=0.0)
    headers = {"accept": "text/html"}
    return TestClient(app, base_url="http://localhost", headers=headers)


@pytest.fixture
def client(space):
    with browser(space) as made:
        yield made


def field(page, name):
    """The value of the first hidden field of that name."""
    return html.unescape(re.search(rf'name="{name}"[^>]*? value="([^"]*)"', page)[1])


def pairs(page):
    found = re.findall(r'name="dong" form="thu-tu" value="([^"]*)"', page)
    return [html.unescape(each) for each in found]


def start(client, source, key, **more):
    answer = client.post("/danh-sach", data={"nguon": source, "ma": key, **more})
    assert answer.status_code == 200, answer.text
    return answer


def stored(space, key="DS-0001"):
    with Store.open(space.folder) as store:
        return store.get(MatchList, key)


# Starting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "key", "first"),
    [
        ("nhu-cau", "N-1", ("CN-1", "N-1")),
        ("san-pham", "SP-1", ("CN-1", "N-1")),
        ("san-pham", "vai thieu luc ngan", ("CN-1", "N-1")),
        ("cong-nghe", "CN-1", ("CN-1", "N-1")),
    ],
)
def test_a_list_starts_from_a_need_a_product_or_an_offer(space, client, source, key, first):
    page = start(client, source, key).text
    assert "Đã lập danh sách DS-0001" in page
    found = stored(space)
    line = next(each for each in found.items if each.pair == first)
    assert line.label in {"phù hợp", "cần điều chỉnh"}
    assert line.reason
    assert (found.technology == "CN-1") is (source == "cong-nghe")


def test_a_name_that_several_records_have_is_asked_back(space, client):
    answer = client.post("/danh-sach", data={"nguon": "cong-nghe", "ma": "say"})
    assert answer.status_code == 422
    assert 'value="CN-1"' in answer.text and 'value="CN-3"' in answer.text
    assert stored(space) is None


def test_results_are_added_to_a_new_list_and_to_one_that_is_there(space, client):
    ticked = {"cong-nghe": ["CN-1", "CN-2"], "q": "sấy vải"}
    client.post("/danh-sach/them", data={**ticked, "danh-sach": "moi"})
    assert [each.technology for each in stored(space).items] == ["CN-1", "CN-2"]
    answer = client.post(
        "/danh-sach/them", data={**ticked, "cong-nghe": ["CN-2", "CN-5"], "danh-sach": "DS-0001"}
    )
    assert "Đã thêm 1 dòng" in answer.text
    assert [each.technology for each in stored(space).items] == ["CN-1", "CN-2", "CN-5"]


def test_results_added_one_by_one_go_to_the_list_that_is_open(space, client):
    back = {"q": "sấy vải", "ve": "/?q=sấy+vải"}
    first = client.post("/danh-sach/them", data={"cong-nghe": "CN-1", **back})
    assert str(first.url.path) == "/" and "Đã lập danh sách DS-0001 với 1 dòng" in first.text
    again = client.post("/danh-sach/them", data={"cong-nghe": "CN-2", **back})
    assert "Đã thêm 1 dòng vào danh sách DS-0001" in again.text
    assert 'danh sách đang mở: <a href="/danh-sach/DS-0001">' in again.text
    client.post("/danh-sach/them", data={"cong-nghe": "CN-2", **back})
    assert [each.technology for each in stored(space).items] == ["CN-1", "CN-2"]
    start(client, "cong-nghe", "CN-1")  # a list of takers, which takes no technologies
    takers = stored(space, "DS-0002").items
    client.post("/danh-sach/them", data={"cong-nghe": "CN-2", **back})
    assert stored(space, "DS-0002").items == takers
    assert [each.technology for each in stored(space, "DS-0003").items] == ["CN-2"]
    elsewhere = client.post(
        "/danh-sach/them",
        data={"cong-nghe": "CN-3", "ve": "//la.example/"},
        follow_redirects=False,
    )
    assert elsewhere.headers["location"] == "/"


def test_a_list_is_named_with_the_accents_that_were_not_typed(space, client):
    client.post("/danh-sach/them", data={"cong-nghe": ["CN-1"], "q": "say vai giu mau do"})
    assert stored(space).name == "Sấy vải giữ màu đỏ"


def test_adding_nothing_says_so(client):
    answer = client.post("/danh-sach/them", data={"danh-sach": "moi", "q": "sấy"})
    assert answer.status_code == 422
    assert "chưa chọn công nghệ" in answer.text.lower()


# Working ------------------------------------------------------------------------------------------


def four(client):
    client.post("/danh-sach/them", data={"cong-nghe": ["CN-1", "CN-2", "CN-3"], "nhu-cau": "N-1"})
    return client.get("/danh-sach/DS-0001").text


def ordered(page, numbers):
    return {"etag": field(page, "etag"), "dong": pairs(page), "thu-tu": numbers}


def test_lines_are_ordered_by_number(space, client):
    page = four(client)
    client.post("/danh-sach/DS-0001/thu-tu", data=ordered(page, ["3", "1", "2"]))
    assert [each.technology for each in stored(space).items] == ["CN-2", "CN-3", "CN-1"]


def test_two_who_order_one_list_see_both_orders_and_lose_nothing(space, client):
    page = four(client)
    with Store.open(space.folder) as store:
        desk = Desk(store, Person("minh", "Minh", "administrator"))
        found = desk.match_list("DS-0001")
        desk.remove_item("DS-0001", found.content_hash(), ("CN-3", "N-1"))
    answer = client.post("/danh-sach/DS-0001/thu-tu", data=ordered(page, ["3", "1", "2"]))
    assert answer.status_code == 412
    assert "vừa được người khác sửa" in answer.text and "minh" in answer.text
    theirs, mine = answer.text.split("Của bạn, chưa lưu")
    assert theirs.index("Sấy vải") < theirs.index("Bảo quản vải")
    assert mine.index("Bảo quản vải") < mine.index("Sấy vải")
    assert [each.technology for each in stored(space).items] == ["CN-1", "CN-2"]
    again = {
        "etag": field(mine, "etag"),
        "dong": [html.unescape(each) for each in re.findall(r'name="dong" value="([^"]*)"', mine)],
        "thu-tu": ["1", "2"],
    }
    client.post("/danh-sach/DS-0001/thu-tu", data=again)
    assert [each.technology for each in stored(space).items] == ["CN-2", "CN-1"]


def test_a_stale_note_is_shown_and_can_be_saved_on_top(space, client):
    page = four(client)
    sent = {"etag": field(page, "etag"), "cap": "CN-1\tN-1", "ghi-chu": "gọi buổi sáng"}
    client.post("/danh-sach/DS-0001/thu-tu", data=ordered(page, ["3", "1", "2"]))
    answer = client.post("/danh-sach/DS-0001/ghi-chu", data=sent)
    assert answer.status_code == 412 and "gọi buổi sáng" in answer.text
    client.post("/danh-sach/DS-0001/ghi-chu", data={**sent, "etag": field(answer.text, "etag")})
    notes = {each.technology: each.note for each in stored(space).items}
    assert notes == {"CN-2": None, "CN-3": None, "CN-1": "gọi buổi sáng"}


def test_an_order_that_is_no_number_is_refused_where_it_was_typed(client):
    page = four(client)
    answer = client.post("/danh-sach/DS-0001/thu-tu", data=ordered(page, ["a", "1", "2"]))
    assert answer.status_code == 422
    assert "không phải là số" in answer.text


def today_there():
    return dt.datetime.now(VIETNAM).date()  # in Vietnam, wherever the tests run


def decide(client, pair, outcome, **more):
    page = client.get("/danh-sach/DS-0001").text
    sent = {"etag": field(page, "etag"), "cap": pair, "ket-qua": outcome, **more}
    return client.post("/danh-sach/DS-0001/quyet-dinh", data=sent)


def test_a_result_is_recorded_with_reason_and_next_step_and_is_due(client):
    four(client)
    today = today_there()
    page = decide(client, "CN-1\tN-1", "đã liên hệ", buoc="Hẹn xem máy", han=today.isoformat()).text
    assert "Hẹn xem máy" in page
    assert "Hẹn xem máy" in client.get("/danh-sach").text
    page = decide(client, "CN-1\tN-1", "từ chối", nhom="chi phí", **{"ly-do": "quá vốn"}).text
    assert f"từ chối ngày {today:%d/%m/%Y}; chi phí: quá vốn" in page
    assert "Hẹn xem máy" not in client.get("/danh-sach").text  # decided again: done


def test_what_was_recorded_names_the_taker_where_the_lines_are_takers(space, client):
    start(client, "cong-nghe", "CN-1")
    with Store.open(space.folder) as store:
        asks = store.get(Need, stored(space).items[0].need)
    told = decide(client, f"CN-1\t{asks.id}", "đã liên hệ").text
    assert f"Đã ghi kết quả: {asks.asker or f'nhu cầu {asks.id}'}." in told


def test_a_second_call_of_one_day_keeps_the_words_of_the_first(client):
    four(client)
    decide(client, "CN-1\tN-1", "đã liên hệ", **{"ly-do": "không nghe máy buổi sáng"})
    page = decide(client, "CN-1\tN-1", "đã liên hệ", buoc="Gửi báo giá").text
    assert "không nghe máy buổi sáng" in page and "Gửi báo giá" in page


def test_a_refused_result_keeps_what_was_typed(client):
    four(client)
    answer = decide(
        client, "CN-1\tN-1", "đã liên hệ", han="2026-99-99", **{"ly-do": "nói <b>dài</b>"}
    )
    assert answer.status_code == 422
    assert "không phải ngày" in answer.text
    assert 'value="nói &lt;b&gt;dài&lt;/b&gt;"' in answer.text
    assert "<b>dài" not in answer.text


def test_lines_are_compared_side_by_side(client):
    page = four(client)
    one, two, three = pairs(page)
    told = client.get("/danh-sach/DS-0001/so-sanh", params={"dong": [one, two]}).text
    for heading in ("Chi phí", "TRL", "Công suất", "Hiệu quả", "Nơi đã ứng dụng"):
        assert f'<th scope="row">{heading}</th>' in told
    assert "150–300 triệu đồng" in told and "từ 450 triệu đồng" in told
    assert "chưa rõ" in told
    assert client.get("/danh-sach/DS-0001/so-sanh", params={"dong": [one]}).status_code == 422
    assert three


def test_a_withdrawn_record_stays_marked_on_its_list(space, client):
    four(client)
    with Store.open(space.folder) as store:
        gone = store.get(Technology, "CN-2")
        store.remove(Technology, "CN-2", actor="lan", at=None, expected=gone.content_hash())
    page = client.get("/danh-sach/DS-0001").text
    assert "công nghệ đã bị rút" in page
    assert client.get("/danh-sach/DS-0001/tai/danh-sach.xlsx").status_code == 200


def test_lists_go_on_without_an_index(space):
    shutil.rmtree(space.index_folder)
    with browser(space) as client:
        assert client.get("/danh-sach").status_code == 200
        start(client, "trong", "", ten="Tay")
        client.post(
            "/danh-sach/them",
            data={"cong-nghe": ["CN-1"], "nhu-cau": "N-1", "danh-sach": "DS-0001"},
        )
        assert "Sấy vải" in client.get("/danh-sach/DS-0001").text


def test_nothing_hidden_reaches_a_page_or_a_file(space, client):
    client.post("/danh-sach/them", data={"cong-nghe": ["CN-8"], "q": "tôm"})
    paths = ["", "/in", *(f"/tai/{name}" for name in ("danh-sach.csv", "danh-sach.json"))]
    for path in paths:
        told = client.get(f"/danh-sach/DS-0001{path}").text
        assert "Ao nuôi tôm" in told
        assert not any(secret in told for secret in ("BX-77", "92 %", "Nguyễn Văn Thử", "900"))


def test_a_list_of_others_is_not_told_of(space, client):
    with Store.open(space.folder) as store:
        Desk(store, LAN).start_list("Của Lan")
    broker = Person("chi", "Chi", "broker")
    with Store.open(space.folder) as store:
        assert Desk(store, broker).lists(everybody=True) == ()
    assert client.get("/danh-sach/DS-0009").status_code == 404


def test_a_hostile_name_is_text_everywhere(space, client):
    name = '<script>alert(1)</script>"; x.csv'
    start(client, "trong", "", ten=name)
    page = client.get("/danh-sach/DS-0001").text
    assert "<script>alert" not in page
    disposition = client.get("/danh-sach/DS-0001/tai/danh-sach.csv").headers["content-disposition"]
    assert "script-alert-1-script-x-csv" in disposition and "<" not in disposition


# Handing over -------------------------------------------------------------------------------------


def test_a_list_is_handed_over_closed_and_can_be_reopened(space, client):
    page = four(client)
    page = client.post("/danh-sach/DS-0001/ban-giao", data={"etag": field(page, "etag")}).text
    assert stored(space).handed_over is not None
    assert "Mở lại để sửa" in page
    assert "Bỏ dòng này" not in page
    client.post("/danh-sach/DS-0001/mo-lai", data={"etag": field(page, "etag")})
    assert stored(space).handed_over is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("danh-sach.xlsx", "spreadsheetml"),
        ("phu-luc.docx", "wordprocessingml"),
        ("lien-he.docx", "wordprocessingml"),
        ("danh-sach.csv", "csv"),
        ("danh-sach.json", "json"),
    ],
)
def test_every_file_downloads_under_its_own_type_and_name(client, name, kind):
    four(client)
    answer = client.get(f"/danh-sach/DS-0001/tai/{name}", params={"so": "II", "chu_tri": "Sở"})
    assert answer.status_code == 200
    assert kind in answer.headers["content-type"]
    assert f'filename="DS-0001-{name}"' in answer.headers["content-disposition"]
    assert answer.content == client.get(answer.url).content
    assert client.get("/danh-sach/DS-0001/tai/x.pdf").status_code == 404
