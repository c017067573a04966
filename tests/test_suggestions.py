"""Documents, folders and archives loaded; what their text suggests, and what people make of it."""

import json

import papers
import pytest
from fastapi.testclient import TestClient
from small import PRODUCTS, TODAY, lexicon
from typer.testing import CliRunner

from corpus.blocks import PARAGRAPH, Document, Line
from corpus.passages import candidates
from corpus.reading import read_content
from corpus.records import Need, Product, Technology
from corpus.store import Store
from corpus.workflow import Suggestion, Waiting
from service import suggesting
from service.app import create_app
from service.cli import app
from service.contract import ApiError
from service.desk import Desk
from service.loading import load
from service.person import Person
from service.workspace import Workspace

TEXT = (
    "Sản phẩm chủ lực của huyện gồm vải thiều, nhãn và dứa.",
    "Người trồng vải thiều còn thiếu công nghệ bảo quản sau thu hoạch.",
    "Viện đã chuyển giao quy trình sấy nhãn bằng bơm nhiệt cho hợp tác xã.",
    "Chưa có cơ chế, chính sách về đất đai cho vùng vải.",
    "Cán bộ huyện đã họp.",
)
OFFICER = Person("lan", "Lan", "officer")


def found(*texts):
    lines = tuple(Line(text, 3, number) for number, text in enumerate(texts, 1))
    running = read_content(Document(lines, PARAGRAPH), "a.docx").running
    return [each for each in candidates(running, lexicon()) if each.confidence >= suggesting.LEAST]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A store with what a folder of good and bad documents and an archive gave."""
    home = tmp_path_factory.mktemp("van-ban")
    with Store.create(home / "data") as store:
        store.save(PRODUCTS)
    folder = home / "vao"
    folder.mkdir()
    need = ["PHIẾU NHU CẦU", "1. Sản phẩm: Dứa Tắc Cậu", "2. Nội dung: Giữ tươi dứa cắt lát"]
    inside = {"thu/bao-cao.docx": papers.docx(*TEXT), "trong.zip": papers.zipped({"a": "b"})}
    (folder / "a.zip").write_bytes(papers.zipped(inside))
    (folder / "hong.pdf").write_bytes(papers.pdf([(50, 800, "x")])[:99])
    (folder / "phieu.doc").write_bytes(papers.doc("\r".join(need) + "\r"))
    report = load([folder], home / "data", lexicon())
    return home, report


def test_products_needs_and_technologies_are_seen_in_text():
    said = [(each.target, each.name, each.product, each.where) for each in found(*TEXT)]
    assert said == [
        ("product", "vải", "vải", "trang 3 đoạn 1"),
        ("product", "nhãn", "nhãn", "trang 3 đoạn 1"),
        ("product", "dứa", "dứa", "trang 3 đoạn 1"),
        ("need", TEXT[1], "vải", "trang 3 đoạn 2"),
        ("technology", "Quy trình sấy nhãn bằng bơm nhiệt", "nhãn", "trang 3 đoạn 3"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Túi vải còn thiếu nhãn mác theo thông tư mới.",
        "Cần có văn bản hướng dẫn thực hiện nghị định về đất đai.",
        "Đã ứng dụng công nghệ tiên tiến, công nghệ cao và công nghệ mới.",
        "Đội đã nghiên cứu mô hình tổ chức của các hợp tác xã.",
    ],
)
def test_what_only_sounds_so_is_not_proposed(text):
    assert found(text) == []


def test_one_bad_file_never_stops_the_others(loaded):
    _, report = loaded
    assert report.saved.added == 1
    assert {(each.file, each.row) for each in report.rejected} == {
        ("a.zip/trong.zip", 0),
        ("hong.pdf", 0),
    }
    assert [each.source for each in report.suggested if each.target == "need"] == [
        "a.zip/thu/bao-cao.docx đoạn 2"
    ]


def test_a_form_becomes_a_need_of_the_product_that_it_names(loaded):
    home, _ = loaded
    with Store.open(home / "data") as store:
        (need,) = (each for each in store.all(Need) if each.source.startswith("phieu.doc"))
    assert (need.product, need.text) == ("SP-2", "Giữ tươi dứa cắt lát")
    assert need.source == "phieu.doc phiếu 1 dòng 1"


def test_loading_again_proposes_nothing_again(loaded):
    home, first = loaded
    again = load([home / "vao"], home / "data", lexicon())
    assert first.suggested and not again.suggested
    assert again.saved.added == again.saved.changed == 0


def test_a_person_decides(tmp_path):
    kept = suggesting.suggestions_of("a.docx", found(*TEXT))
    by_target = {each.target: each for each in kept}
    with Store.create(tmp_path) as store:
        store.save(PRODUCTS)
        store.save(suggesting.fresh(store, kept))
        desk = Desk(store, OFFICER)
        waiting = suggesting.waiting(desk)
        names = [each.name for each in waiting if each.target == "product"]
        assert sorted(names) == ["dứa", "nhãn"]  # "vải" is there: SP-1's alias
        need = suggesting.accept(desk, by_target["need"].id, None, {"name": "Bảo quản vải"})
        assert (need.product, need.text) == ("SP-1", "Bảo quản vải")
        seen = by_target["technology"]
        technology = suggesting.accept(desk, seen.id, seen.content_hash(), {})
        assert (technology.name, technology.products) == (seen.name, ("nhãn",))
        assert technology.source == "a.docx trang 3 đoạn 3"
        with pytest.raises(ApiError, match="đã nhận trước đó"):
            suggesting.drop(desk, seen.id, None)
        assert store.get(Suggestion, seen.id).entered == technology.id
        (other,) = (each for each in waiting if each.name == "nhãn")
        suggesting.drop(desk, other.id, None)
        assert store.get(Suggestion, other.id).state is Waiting.DROPPED
        assert not [each for each in store.all(Product) if each.name == "nhãn"]
        with pytest.raises(ApiError, match="không được duyệt"):
            suggesting.accept(Desk(store, Person("x", "x", "broker")), other.id, None, {})


def test_the_page_shows_passages_and_enters_what_is_accepted(loaded):
    home, _ = loaded
    client = TestClient(create_app(Workspace(home / "data"), TODAY, 0.0))
    page = client.get("/de-xuat-doc").text
    assert "quy trình sấy nhãn bằng bơm nhiệt cho hợp tác xã" in page
    assert "a.zip/thu/bao-cao.docx đoạn 3" in page
    with Store.open(home / "data") as store:
        waiting = suggesting.waiting(Desk(store, OFFICER))
    (need,) = (each for each in waiting if each.target == "need")
    address = f"/de-xuat-doc/{need.id}"
    wrong = client.post(address, data={"viec": "nhan", "san-pham": "SP-9"})
    assert (wrong.status_code, "SP-9" in wrong.text) == (422, True)
    stale = client.post(address, data={"viec": "bo", "etag": "x"})
    assert stale.status_code == 412
    done = client.post(address, data={"viec": "nhan", "san-pham": "SP-3", "ten": "Giữ vải"})
    assert "Đã nhận nhu cầu" in done.text
    assert need.passage not in done.text
    with Store.open(home / "data") as store:
        assert [each.product for each in store.all(Need) if each.text == "Giữ vải"] == ["SP-3"]


def test_the_command_accepts_all_or_nothing(loaded):
    home, _ = loaded
    data = ["--data", str(home / "data")]
    run = CliRunner().invoke
    answer = json.loads(run(app, ["suggestions", "--json", *data]).stdout)
    (seen,) = (each for each in answer["waiting"] if each["target"] == "technology")
    failed = run(app, ["suggestions", "--accept", seen["id"], "--drop", "VB-x", *data])
    assert failed.exit_code == 2
    done = run(app, ["suggestions", "--accept", seen["id"], "--json", *data])
    (made,) = json.loads(done.stdout)["accepted"]
    assert (made["kind"], made["name"]) == ("technology", seen["name"])
    assert seen["id"] not in run(app, ["suggestions", *data]).stdout
    with Store.open(home / "data") as store:
        assert len(store.all(Technology)) == 1
