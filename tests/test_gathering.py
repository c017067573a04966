"""Needs gathered: a round for three bodies, their forms, one that comes back, two that are late."""

import datetime as dt
import json
from io import BytesIO
from zipfile import ZipFile

import docx
import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY
from typer.testing import CliRunner

from corpus.gathering import Asked, AskedKind, Code, Round, Standing, code_of
from corpus.records import Need, Product
from corpus.store import Store
from corpus.tables import read_tables
from service import asked_lists, cli
from service.app import create_app
from service.asked_lists import AskedListError
from service.need_form_files import make
from service.need_forms import blank
from service.workspace import Workspace

ASKED = """Đơn vị;Loại;Liên hệ
Sở Nông nghiệp và Môi trường;sở;Bà Hoa, 0900 000 001
UBND xã Lục Ngạn;;
HTX vải Kép;doanh nghiệp;
"""
DEADLINE = dt.date(2026, 11, 20)
HEAD = 6  # the row of headings, under a title, three lines and an empty one


def run(space, *args, exit_code=0):
    answer = CliRunner().invoke(cli.app, [*args, "--data", str(space.folder)])
    assert answer.exit_code == exit_code, answer.output
    return answer.output


def fill(path, *rows):
    """Write rows of heading → text into a blank workbook, from its first row on."""
    book = load_workbook(path)
    sheet = book["Phiếu nhu cầu"]
    head = next(n for n in range(1, 11) if sheet.cell(n, 1).value == "Mã dòng")
    columns = {each.value: each.column for each in sheet[head]}
    for line, row in enumerate(rows, start=head + 1):
        for heading, text in row.items():
            sheet.cell(line, columns[heading]).value = text
    book.save(path)


@pytest.fixture
def space(tmp_path):
    made = Workspace(tmp_path / "data")
    with Store.create(made.folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    (tmp_path / "hoi.csv").write_text(ASKED, encoding="utf-8")
    return made


@pytest.fixture
def asked(space, tmp_path):
    """The round, opened from the command line."""
    run(space, "round", "add", "BN-2027", "--name", "Nhu cầu 2027", "--province", "Bắc Ninh",
        "--deadline", f"{DEADLINE}", "--asked", str(tmp_path / "hoi.csv"))  # fmt: skip
    return space


FIRST = {"Sản phẩm": PRODUCTS[0].name, "Nhu cầu": "Quả sẫm vỏ sau ba ngày", "Khâu": "bảo quản"}
SECOND = {"Sản phẩm": "sầu riêng lạ", "Nhu cầu": "Thối cuống khi đi xa"}


def test_a_round_from_the_forms_to_who_is_late(asked, tmp_path):
    path = tmp_path / "phieu.xlsx"
    form = ("form", "--out", str(path), "--round", "BN-2027", "--body", "HTX vải Kép")
    run(asked, *form)
    fill(path, FIRST, SECOND)
    told = run(asked, "load", str(path), "--as-of", "2026-11-18", "--json", exit_code=1)
    answer = json.loads(told)
    (count,) = answer["files"]  # guidance and lists are no tables; empty rows are none
    assert (count["rows"], count["loaded"], count["rejected"]) == (2, 1, 1)
    (rejected,) = answer["rejected"]
    assert rejected["sheet"] == "Phiếu nhu cầu" and rejected["value"] == "sầu riêng lạ"
    assert rejected["row"] == HEAD + 2
    assert answer["answered"] == ["HTX vải Kép"]
    with Store.open(asked.folder) as store:
        need = store.get(Need, "BN-2027.003.001")
    assert (need.product, need.collector, need.asker) == ("SP-1", "HTX vải Kép", "HTX vải Kép")
    assert need.province == "Bắc Ninh" and need.extra == {"Đợt thu thập": "BN-2027"}
    # the same again is no news, a corrected row changes its need, and neither moves the day
    again = run(asked, "load", str(path), "--as-of", "2026-11-19", "--json", exit_code=1)
    assert json.loads(again)["files"][0]["repeated"] == 1
    fill(path, {"Nhu cầu": "Quả sẫm vỏ sau hai ngày"}, {"Sản phẩm": PRODUCTS[1].name})
    told = json.loads(run(asked, "load", str(path), "--json"))
    assert (told["saved"]["added"], told["saved"]["changed"], told["answered"]) == (1, 1, [])
    shown = json.loads(run(asked, "round", "show", "BN-2027", "--as-of", "2026-11-21", "--json"))
    standings = [(b["standing"], b["needs"], b.get("answered")) for b in shown["asked"]]
    late = ("quá hạn", 0, None)
    assert standings == [late, late, ("đã trả lời", 2, "2026-11-18")]
    assert "1/3 đã trả lời, 0 quá hạn" in run(asked, "round", "list", "--as-of", "2026-11-20")
    run(asked, *form)  # a form that goes out now does not write over what came back
    assert read_tables(path)[0].rows[0].values == ("BN-2027.003.003",)


def test_rows_without_a_code_get_an_id_that_follows_from_what_they_say(asked, tmp_path):
    path, other = tmp_path / "phieu.xlsx", tmp_path / "khong-dot.xlsx"
    run(asked, "form", "--out", str(path), "--round", "BN-2027", "--body", "UBND xã Lục Ngạn")
    fill(path, FIRST, {**FIRST, "Mã dòng": None, "Nhu cầu": "Thiếu nước tưới mùa khô"})
    run(asked, "form", "--out", str(other), "--for", "xã")
    fill(other, {**FIRST, "Nhu cầu": "Cần máy thu hoạch"})
    for added in (3, 0):
        told = json.loads(run(asked, "load", str(path), str(other), "--json"))
        assert (told["saved"]["added"], told["saved"]["changed"]) == (added, 0)
    with Store.open(asked.folder) as store:
        found = {each.text: each for each in store.all(Need)}
        (of,) = store.all(Round)
    coded, free = found["Thiếu nước tưới mùa khô"], found["Cần máy thu hoạch"]
    assert coded.id.startswith("BN-2027.002.") and coded.collector == "UBND xã Lục Ngạn"
    assert coded.asker is None  # a commune gathers what others need
    assert free.id.startswith("NC-") and free.collector is None
    assert of.named("ubnd xa luc ngan").answered is not None


def test_a_form_is_the_same_bytes_and_text_in_it_stays_text(tmp_path):
    evil = Product(id="SP-9", name="=HYPERLINK(1)")
    with Store.create(tmp_path / "kho") as store:
        store.save([*PRODUCTS, evil])
        forms = [(s, blank(store, kind)) for s in (".xlsx", ".docx") for kind in AskedKind]
        for suffix, form in forms:
            assert make(form, suffix) == make(form, suffix)
    book = load_workbook(BytesIO(make(forms[0][1], ".xlsx")))
    cells = [cell for sheet in book for row in sheet for cell in row if cell.value]
    assert evil.name in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} == {"s"}
    rules = {each.formula1 for each in book["Phiếu nhu cầu"].data_validations.dataValidation}
    assert f"'Danh mục'!$A$2:$A${len(PRODUCTS) + 2}" in rules and len(rules) == 4
    for number in range(3):  # Word asks the same under the same headings
        paper = docx.Document(BytesIO(make(forms[number + 3][1], ".docx")))
        headings = tuple(cell.text for cell in paper.tables[0].rows[0].cells)
        path = tmp_path / "mau.xlsx"
        path.write_bytes(make(forms[number][1], ".xlsx"))
        assert read_tables(path)[0].headings == headings


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--out", "x.pdf"], "--out phải là tệp .xlsx hoặc .docx"),
        (["--out", "x.xlsx", "--for", "tỉnh"], "--for phải là một trong"),
        (["--out", "x.xlsx", "--body", "Sở"], "--body cần --round"),
        (["--out", "x.xlsx", "--round", "BN-2020"], "đang có: BN-2027"),
        (["--out", "x.xlsx", "--round", "BN-2027", "--body", "Sở"], "HTX vải Kép"),
    ],
)
def test_a_form_for_nobody_is_refused(asked, args, told, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(cli.app, ["form", *args, "--data", str(asked.folder)])
    assert answer.exit_code == 2
    assert told in " ".join(answer.output.replace("│", " ").split())
    assert not list(tmp_path.glob("x.*"))


def test_lists_of_bodies_are_read_and_faults_have_a_place():
    found = asked_lists.pasted("Hợp tác xã Mai Vàng\t\t0900\n\nTrường Đại học A; sở ;a@b.vn;0901\n")
    assert [(b.kind, b.contact) for b in found] == [
        (AskedKind.ENTERPRISE, "0900"), (AskedKind.DEPARTMENT, "a@b.vn; 0901"),
    ]  # fmt: skip
    for text, told in [("Ông Ba", "dòng 1: “Ông Ba” là loại"), ("a;hộ", "“hộ” không phải loại"),
                       ("Sở A\n;sở", "dòng 2: thiếu tên")]:  # fmt: skip
        with pytest.raises(AskedListError, match=told):
            asked_lists.pasted(text)


def test_codes_and_standings():
    assert code_of("BN-2027.003.001") == Code("BN-2027", 3, "001")
    assert str(Code("BN-2027", 3, "001")) == "BN-2027.003.001"
    assert code_of("NC-2027.3.1") is None
    body = Asked(number=1, name="Sở A", kind=AskedKind.DEPARTMENT)
    assert body.standing(DEADLINE, DEADLINE) is Standing.WAITING
    assert body.standing(DEADLINE, DEADLINE + dt.timedelta(1)) is Standing.LATE
    with pytest.raises(ValueError, match="hỏi hai lần"):
        Round(id="A", name="A", year=2027, deadline=DEADLINE,
              asked=(body, body.model_copy(update={"number": 2, "name": "sở a"})))  # fmt: skip


def test_the_page_opens_a_round_gives_forms_and_shows_who_is_late(space, tmp_path):
    space.build(None)
    with TestClient(create_app(space, TODAY, 0.0), headers={"accept": "text/html"}) as client:
        form = {"ten": "Nhu cầu 2027", "nam": "2027", "tinh": "", "han": "", "don_vi": ASKED}
        refused = client.post("/thu-thap", data=form)
        assert refused.status_code == 422 and "Hạn trả lời: phải là ngày" in refused.text
        assert "HTX vải Kép" in refused.text  # what was typed is still there
        page = client.post("/thu-thap", data={**form, "han": f"{DEADLINE}"}).text
        home = "/thu-thap/DTT-0001"
        assert "hỏi 3 đơn vị" in page and page.count("quá hạn</span>") == 3
        packed = ZipFile(BytesIO(client.get(f"{home}/tai/phieu.xlsx.zip").content))
        name = "phieu-001-so-nong-nghiep-va-moi-truong.xlsx"
        assert packed.namelist()[0] == name
        assert packed.read(name) == client.get(f"{home}/tai/1.xlsx").content
        path = tmp_path / name
        path.write_bytes(packed.read(name))
        fill(path, FIRST)
        sent = client.post("/nhap-du-lieu", files={"tep": (name, path.read_bytes())})
        token = sent.url.path.rpartition("/")[2]
        assert "Đợt thu thập" in sent.text
        assert (
            "<strong>1</strong> bản ghi mới" in client.get(f"/nhap-du-lieu/{token}/xem-truoc").text
        )
        client.post(f"/nhap-du-lieu/{token}/nap")
        for _ in range(100):
            if "Đang nạp" not in client.get(f"/nhap-du-lieu/{token}/ket-qua").text:
                break
        store = client.app.state.shelf.store()
        of = store.get(Round, "DTT-0001")
        assert [b.name for b in of.silent] == ["UBND xã Lục Ngạn", "HTX vải Kép"]
        mark = {"viec": "da-tra-loi", "dau": of.content_hash(), "so": 2, "ghi_chu": "Công văn 5"}
        assert "đánh dấu: Công văn 5" in client.post(home, data=mark).text
        assert client.post(home, data=mark).status_code == 412  # the page that was seen is old
        silent = client.get(f"{home}?chua=1").text
        assert "HTX vải Kép" in silent and "Sở Nông nghiệp" not in silent
        told = client.get(f"{home}/tai/chua-tra-loi.csv").content.decode("utf-8-sig").splitlines()
        assert told[1:] == ['"HTX vải Kép","doanh nghiệp","","20/11/2026","quá hạn"']
        by_form = {"viec": "bo-danh-dau", "dau": store.get(Round, of.id).content_hash(), "so": 1}
        assert "không phải đánh dấu bằng tay" in client.post(home, data=by_form).text
        more = {**by_form, "viec": "hoi-them", "don_vi": "Ông Ba"}
        assert "là loại đơn vị nào" in client.post(home, data=more).text
        assert client.get(f"{home}/tai/9.xlsx").status_code == 404
