"""A list leaves the house as XLSX, DOCX, CSV, JSON: contacts, marks, nothing hidden, no clock."""

import csv
import datetime as dt
import html
import io
import json
import zipfile
from dataclasses import replace

import docx
import openpyxl
import openpyxl.writer.excel
import pytest

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import Decision, Need, Product, Technology
from corpus.workflow import Listed, MatchList
from service import handover
from service.exports import WATERMARK
from service.handover import assemble
from service.handover_annex import ANNEX, Annex, annex_rows
from service.handover_columns import columns, printed_columns, rows, short_columns
from service.handover_docx import CONTACTS, annex, contacts
from service.handover_files import delimited, document, workbook

CARVER = Technology(
    id="CN-1",
    name="Máy đục gỗ CNC",
    stages=("chế biến",),
    owner="Cơ khí La Xá",
    province="Nam Định",
    cost_from=420,
    cost_to=690,
    trl=9,
    effect="Thay 10 thợ đục thô",
    contact="Ông Xá, 0900 000 001",
    places_used=("làng mộc Đồng Kỵ, Bắc Ninh",),
    restricted=("contact", "effect"),
)
BARE = Technology(id="CN-2", name="Lò sấy")
WOOD = Product(id="SP-1", name="Đồ gỗ mỹ nghệ Đồng Kỵ")
SHOP = Need(
    id="N-1",
    product="SP-1",
    text="Máy chạm phá thô gỗ cứng",
    asker="Xưởng Vũ Đắc",
    commune="phường Đồng Nguyên",
    province="Bắc Ninh",
    extra={"Điện thoại": "0912 345 678", "Ghi": "x"},
)
OTHER = Need(id="N-2", product="SP-1", text="Máy chạm cho tượng")
MADE = dt.date(2026, 11, 20)
LOG = (
    Decision(
        need="N-2",
        technology="CN-1",
        outcome=Outcome.REJECTED,
        date=dt.date(2026, 11, 6),
        reason_kind=ReasonKind.PRICE,
        reason="giá quá vốn của xưởng",
        by="lan",
    ),
    Decision(
        need="N-1",
        technology="CN-1",
        outcome=Outcome.CONTACTED,
        date=dt.date(2026, 11, 10),
        next_step="Hẹn xem máy",
        next_date=dt.date(2026, 11, 27),
        event="hội chợ Bắc Ninh",
        by="lan",
    ),
    Decision(need="N-9", technology="CN-9", outcome=Outcome.SIGNED, date=MADE),  # of another list
)
ITEMS = (
    Listed(technology="CN-1", need="N-1", rank=1, label="phù hợp", reason="Cùng sản phẩm."),
    Listed(technology="CN-1", need="N-2", rank=2, label="cần điều chỉnh", note="gọi lại"),
    Listed(technology="CN-2", need="N-1", rank=3, label="tham khảo", withdrawn=True),
)


def made(may_read_nda=False, technologies=(CARVER, BARE), **change):
    facts = {"id": "DS-0001", "name": "Máy đục gỗ", "technology": "CN-1", "owner": "lan"}
    listed = MatchList(**{**facts, "created": MADE, "items": ITEMS, **change})
    known = {each.id: each for each in technologies}
    needs = {each.id: each for each in (SHOP, OTHER)}
    return assemble(listed, known, needs, {"SP-1": WOOD}, LOG, may_read_nda)


def illustrative():
    return made(technologies=(CARVER.model_copy(update={"illustrative": True}), BARE))


def by_heading(found, line=0):
    return dict(zip((each.heading for each in columns(found)), rows(found)[line], strict=True))


# What a line says ---------------------------------------------------------------------------------


def test_a_line_says_whom_to_phone_on_both_sides_and_how_far_it_is():
    told = by_heading(made(may_read_nda=True))
    assert told["Đơn vị có nhu cầu"] == "Xưởng Vũ Đắc"
    assert told["Nơi có nhu cầu"] == "phường Đồng Nguyên, Bắc Ninh"
    assert told["Liên hệ bên cầu"] == "0912 345 678"
    assert told["Liên hệ bên cung"] == "Ông Xá, 0900 000 001"
    assert told["Chi phí"] == "420–690 triệu đồng"
    assert told["Tình trạng kết nối"] == (
        "đã liên hệ ngày 10/11/2026; tại hội chợ Bắc Ninh; người ghi: lan"
    )
    assert told["Bước tiếp theo"] == "Hẹn xem máy, hạn 27/11/2026"


def test_a_refusal_stays_with_its_date_and_reason():
    told = by_heading(made(), 1)
    assert told["Tình trạng kết nối"] == (
        "từ chối ngày 06/11/2026; chi phí: giá quá vốn của xưởng; người ghi: lan"
    )
    assert told["Ghi chú"] == "gọi lại"


def test_what_is_missing_is_unknown_and_never_zero():
    told = by_heading(made(), 2)
    unknown = {"Chi phí", "TRL", "Đơn vị sở hữu", "Tỉnh", "Liên hệ bên cung", "Nơi đã ứng dụng"}
    assert {told[name] for name in unknown} == {"chưa rõ"}
    assert told["Tình trạng kết nối"] == "công nghệ đã bị rút"


def test_what_is_no_longer_in_the_store_keeps_its_line():
    found = made(technologies=())
    assert [line.technology.name for line in found.lines] == [handover.GONE] * 3
    assert delimited(found) and workbook(found) and annex(found) and contacts(found)


def test_every_line_of_a_workbook_is_marked_and_on_paper_only_where_lines_differ():
    mixed = illustrative()
    assert len({line.illustrative for line in mixed.lines}) == 2
    alike = replace(mixed, lines=tuple(each for each in mixed.lines if each.illustrative))
    for found, on_paper in ((mixed, True), (alike, False)):
        assert short_columns(found)[-1].heading == "Dữ liệu"
        assert (printed_columns(found)[-1].heading == "Dữ liệu") is on_paper


def test_takers_come_first_on_a_list_of_takers_and_offers_on_any_other():
    assert [each.heading for each in columns(made())][1] == "Sản phẩm"
    assert [each.heading for each in columns(made(technology=None, need="N-1"))][
        1
    ] == "Mã công nghệ"


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({}, "Bên tiếp nhận cho công nghệ CN-1: Máy đục gỗ CNC"),
        (
            {"technology": None, "need": "N-1"},
            "Công nghệ cho nhu cầu N-1: Máy chạm phá thô gỗ cứng",
        ),
        ({"technology": None, "product": "SP-1"}, f"Công nghệ cho sản phẩm SP-1: {WOOD.name}"),
        ({"technology": None}, "Công nghệ chọn từ kết quả tìm kiếm"),
    ],
)
def test_the_subject_says_what_the_list_was_made_for(change, subject):
    assert made(**change).subject == subject


# Every file ---------------------------------------------------------------------------------------


def inside(data):
    """All text of a file, whatever it is packed in."""
    if not data.startswith(b"PK"):
        return data.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = (packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
        return html.unescape("".join(parts))


FILES = [workbook, delimited, document, annex, contacts]


@pytest.mark.parametrize("write", FILES)
def test_hidden_parts_are_for_those_who_may_read_them(write):
    assert "0900 000 001" not in inside(write(made()))
    assert "Thay 10 thợ" not in inside(write(made()))
    if write is not document:
        assert "theo NDA" in inside(write(made()))
    allowed = inside(write(made(may_read_nda=True)))
    assert "0900 000 001" in allowed or "Thay 10 thợ" in allowed


@pytest.mark.parametrize("write", FILES)
def test_changing_hidden_text_changes_no_byte_for_others(write):
    other = CARVER.model_copy(update={"contact": "bà Khác", "effect": "khác"})
    assert write(made()) == write(made(technologies=(other, BARE)))


@pytest.mark.parametrize("write", FILES)
def test_sample_records_are_watermarked_and_real_ones_are_not(write):
    assert "DỮ LIỆU MINH HỌA" in inside(write(illustrative()))
    assert "MINH HỌA" not in inside(write(made()))


@pytest.mark.parametrize("write", FILES)
def test_a_sample_need_or_list_is_enough_for_the_watermark(write):
    assert "DỮ LIỆU MINH HỌA" in inside(write(made(illustrative=True)))
    shop = SHOP.model_copy(update={"illustrative": True})
    listed = made().list
    found = assemble(listed, {"CN-1": CARVER}, {"N-1": shop}, {}, (), False)
    assert "DỮ LIỆU MINH HỌA" in inside(write(found))


class LaterClock(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2031, 5, 6, 7, 8, 9, tzinfo=tz)


@pytest.mark.parametrize("write", FILES)
def test_the_same_list_gives_the_same_bytes_on_another_day(write, monkeypatch):
    one = write(made())
    monkeypatch.setattr(openpyxl.writer.excel.datetime, "datetime", LaterClock)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert write(made()) == one


@pytest.mark.parametrize("write", [workbook, annex, contacts])
def test_the_day_of_a_file_is_that_of_the_list(write):
    with zipfile.ZipFile(io.BytesIO(write(made()))) as packed:
        assert {member.date_time for member in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = packed.read("docProps/core.xml").decode()
    assert core.count("2026-11-20T00:00:00Z") == 2
    assert "python-docx" not in core
    handed = made(status="đã bàn giao", handed_over=dt.date(2026, 11, 25))
    with zipfile.ZipFile(io.BytesIO(write(handed))) as packed:
        assert packed.read("docProps/core.xml").decode().count("2026-11-25T00:00:00Z") == 2


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1+1", "-2", "@SUM(A1)", "\t=1"])
def test_what_looks_like_a_formula_stays_text(text):
    shop = SHOP.model_copy(update={"asker": text})
    found = assemble(made().list, {"CN-1": CARVER}, {"N-1": shop}, {}, (), False)
    for sheet in openpyxl.load_workbook(io.BytesIO(workbook(found))):
        kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value}
        assert kinds <= {"s"}
    lines = list(csv.reader(io.StringIO(delimited(found).decode("utf-8-sig"))))
    assert f"'{text}" in lines[1]
    assert all(
        not cell.lstrip().startswith(("=", "+", "-", "@")) for line in lines for cell in line
    )


@pytest.mark.parametrize(
    "text", ["a\x00b", "a\x07b", "a\ufffeb", "a\ud800b", "<b>&amp;</b>", "]]>"]
)
def test_no_text_breaks_a_file(text):
    items = (ITEMS[0].model_copy(update={"reason": text, "note": text}),)
    listed = made().list.model_copy(update={"items": items, "name": text})
    shop = SHOP.model_copy(update={"text": text, "asker": text})
    found = assemble(listed, {"CN-1": CARVER}, {"N-1": shop}, {}, LOG, True)
    openpyxl.load_workbook(io.BytesIO(workbook(found)))
    for write in (annex, contacts):
        docx.Document(io.BytesIO(write(found)))
    json.loads(document(found))
    assert delimited(found).decode("utf-8-sig")


# Each kind of file --------------------------------------------------------------------------------


def test_the_workbook_has_the_list_its_facts_the_log_and_the_annex():
    book = openpyxl.load_workbook(io.BytesIO(workbook(illustrative())))
    assert book.sheetnames == ["Danh sách", "Chi tiết", "Nhật ký liên hệ", "Phụ lục"]
    for sheet in book:
        assert sheet["A4"].value == WATERMARK
        assert sheet.oddHeader.center.text == sheet.oddFooter.center.text == WATERMARK
    log = [[cell.value for cell in row] for row in book["Nhật ký liên hệ"].iter_rows(min_row=6)]
    assert [row[:3] for row in log] == [
        ["06/11/2026", "N-2", "CN-1"],
        ["10/11/2026", "N-1", "CN-1"],
    ]


def test_csv_opens_in_excel_with_accents():
    data = delimited(made())
    assert data.startswith(b"\xef\xbb\xbf")
    head, *lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert head == [each.heading for each in columns(made())]
    assert len(lines) == 3


def test_json_carries_stated_facts_of_every_record():
    facts = json.loads(document(made()))
    assert facts["list"]["id"] == "DS-0001"
    assert facts["watermark"] is None
    first = facts["items"][0]
    assert first["need"]["extra"]["Điện thoại"] == "0912 345 678"
    assert first["decisions"][0]["next_date"] == "2026-11-27"
    assert "contact" not in first["technology"]


def paragraphs(data):
    return [each.text for each in docx.Document(io.BytesIO(data)).paragraphs]


FORM = Annex(
    number="II",
    document="Kế hoạch",
    document_no="12/KH-SKHCN",
    document_day="02/03/2026",
    issuer="Sở Khoa học và Công nghệ",
    lead="Sở Khoa học và Công nghệ",
    period="2026 - 2027",
)


def test_the_annex_has_the_form_of_a_provinces_annex():
    written = docx.Document(io.BytesIO(annex(made(), FORM)))
    assert paragraphs(annex(made(), FORM))[:3] == [
        "PHỤ LỤC II",
        "DANH SÁCH KẾT NỐI CUNG – CẦU CÔNG NGHỆ: MÁY ĐỤC GỖ",
        "(Kèm theo Kế hoạch số 12/KH-SKHCN ngày 02/03/2026 của Sở Khoa học và Công nghệ)",
    ]
    (table,) = written.tables
    heading, first = ([cell.text for cell in row.cells] for row in table.rows)
    assert heading == [
        "Stt",
        "Nhóm nhiệm vụ",
        "Nội dung thực hiện",
        "Sản phẩm/Kết quả dự kiến",
        "Cơ quan chủ trì",
        "Cơ quan phối hợp",
        "Thời gian thực hiện",
    ]
    assert first == [
        "1",
        "Đồ gỗ mỹ nghệ Đồng Kỵ – chế biến",
        "Kết nối, tiếp nhận công nghệ: Máy đục gỗ CNC (mã CN-1); đáp ứng nhu cầu N-1: "
        "Máy chạm phá thô gỗ cứng",
        "theo NDA",
        "Sở Khoa học và Công nghệ",
        "Xưởng Vũ Đắc; Cơ khí La Xá",
        "2026 - 2027",
    ]
    assert "CỘNG HÒA" not in inside(annex(made(), FORM))  # quốc hiệu is the main document's


def test_what_nobody_stated_is_left_to_fill_in_and_nobody_is_invented():
    assert paragraphs(annex(made()))[0] == "PHỤ LỤC ………"
    assert paragraphs(annex(made()))[2] == "(Kèm theo ……… số ……… ngày …/…/……)"
    only = assemble(made().list, {"CN-1": CARVER}, {}, {}, (), False)
    assert annex_rows(only, Annex())[0][4:] == ["chưa rõ", "Cơ khí La Xá", "chưa rõ"]


def test_what_was_refused_or_withdrawn_is_no_task():
    assert [row[0] for row in annex_rows(made(), FORM)] == ["1"]  # N-2 refused, CN-2 withdrawn


def test_the_brokers_table_has_both_sides_and_the_course_of_every_line():
    (table,) = docx.Document(io.BytesIO(contacts(made(may_read_nda=True)))).tables
    heading, *lines = ([cell.text for cell in row.cells] for row in table.rows)
    assert heading == [name for name, _ in CONTACTS]
    assert len(lines) == 3
    assert "0912 345 678" in lines[0][1]
    assert "0900 000 001" in lines[0][4]
    assert "từ chối ngày 06/11/2026" in lines[1][6]


def test_headings_are_repeated_on_every_page_of_a_document():
    assert inside(annex(made())).count("w:tblHeader") == 1
    assert len(ANNEX) == 7
