"""corpus.files, shown, tables and headings: whatever the file, one table or a clear refusal."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
import os
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from corpus.headings import UnknownTable, nearest, recognise
from corpus.records import KINDS
from corpus.shown import guard, number_text, unguard
from corpus.tables import HEADLESS, Limits, Row, UnreadableFile, read_tables

TEXT = 'Mã,Tên công nghệ,Tỉnh\nT1,"Sấy lạnh, hai cấp",Hà Nội\n\nT2,Hòa tan\n'
HEADINGS = ("Mã", "Tên công nghệ", "Tỉnh")
ROWS = (Row(2, ("T1", "Sấy lạnh, hai cấp", "Hà Nội")), Row(4, ("T2", "Hòa tan")))


def put(folder: Path, data: str | bytes, name: str = "technologies.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def workbook(folder: Path, *sheets: tuple[str, list[list[object]]], name: str = "a.xlsx") -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(folder / name)
    return folder / name


def refusal(path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_tables(path, limits or Limits())
    assert str(caught.value) == f"{path.name}: {caught.value.reason}"
    assert caught.value.path == path
    return caught.value.reason


# Text -------------------------------------------------------------------------------------------


def windows_1258(text: str) -> bytes:
    """Encode as Vietnamese Windows does: base letters composed, tone marks after them."""
    parts = []
    for char in unicodedata.normalize("NFC", text):
        marks = unicodedata.normalize("NFD", char)
        tone = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in tone))
        parts += [base, *tone]
    return "".join(parts).encode("cp1258")


def delimited(delimiter: str) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(csv.reader(io.StringIO(TEXT)))
    return buffer.getvalue().encode()


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        windows_1258(TEXT),
        TEXT.replace("\n", "\r\n").encode(),
        delimited(";"),
        delimited("\t"),
        b"sep=;\n" + delimited(";"),
    ],
    ids=["utf8", "bom", "utf16le", "utf16be", "cp1258", "crlf", "semicolon", "tab", "sep"],
)
def test_one_table_in_every_encoding(tmp_path: Path, data: bytes) -> None:
    (table,) = read_tables(put(tmp_path, data))
    assert (table.file, table.sheet) == ("technologies.csv", None)
    assert table.headings == HEADINGS
    assert table.rows == ROWS


def test_line_breaks_in_quotes_count_as_one_row(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, 'Mã,Tên\nT1,"a\nb"\nT2,c\n'))
    assert table.rows == (Row(2, ("T1", "a\nb")), Row(3, ("T2", "c")))


def test_an_open_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, 'Mã,Tên\nT1,"hở\nT2,"hai"\nT3,ba "3"\nT4,"cuối\nT5,x\n'))
    assert [row.problem is None for row in table.rows] == [False, True, True, False, True]
    assert table.rows[0] == Row(2, ('T1,"hở',), "dấu ngoặc kép mở đóng không khớp")
    assert table.rows[2] == Row(4, ("T3", 'ba "3"'))
    assert table.rows[4] == Row(6, ("T5", "x"))


def test_many_broken_rows_take_linear_time(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, "Mã,Tên\n" + 'T,"a"b\n' * 20_000))
    assert len(table.rows) == 20_000
    assert all(row.problem for row in table.rows)


def test_titles_above_the_heading_row_are_passed_over(tmp_path: Path) -> None:
    text = "DANH MỤC CÔNG NGHỆ,,\nNgày 1/5/2026,,\n\nMã,Tên công nghệ,Tỉnh\nT1,Sấy,Huế\n"
    (table,) = read_tables(put(tmp_path, text))
    assert (table.headings, table.rows) == (HEADINGS, (Row(5, ("T1", "Sấy", "Huế")),))


def test_judgments_without_a_heading_row(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, "N1\tT1\t3\nN1\tT2\t0\n", "judgments.tsv"))
    assert table.headings == HEADLESS
    assert table.rows == (Row(1, ("N1", "T1", "3")), Row(2, ("N1", "T2", "0")))


def test_judgments_with_a_heading_row(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, "need\ttechnology\tgrade\nN1\tT1\t3\n"))
    assert (table.headings, len(table.rows)) == (("need", "technology", "grade"), 1)


def test_a_damaged_byte_in_utf8_stays_in_its_row(tmp_path: Path) -> None:
    good, bad = "T1,Sấy lạnh hồi ẩm\n".encode(), "T2,Công ngh".encode() + b"\xe1\xbb\n"
    (table,) = read_tables(put(tmp_path, "Mã,Tên công nghệ\n".encode() + good + bad))
    assert table.rows[0].values == ("T1", "Sấy lạnh hồi ẩm")
    assert table.rows[1].values == ("T2", "Công ngh\ufffd")


@given(st.text())
def test_unguard_takes_back_what_guard_did(value: str) -> None:
    assert unguard(guard(value)) == value


@given(st.text())
def test_nothing_guarded_reads_as_a_formula(value: str) -> None:
    assert guard(value).lstrip()[:1] not in {"=", "+", "-", "@"}


# Workbooks --------------------------------------------------------------------------------------


def test_values_of_a_workbook_are_as_people_see_them(tmp_path: Path) -> None:
    row: list[object] = ["T1", 7.0, 2.5, 1.125, dt.date(2026, 5, 1), dt.datetime(2026, 5, 1, 8, 30)]
    row += [True, " ", "_x0041_"]
    path = workbook(tmp_path, ("Công nghệ", [["Mã", "Tên", *"abcdefg"], row]))
    (table,) = read_tables(path)
    assert table.sheet == "Công nghệ"
    seen = ("T1", "7", "2.5", "1,125", "2026-05-01", "2026-05-01 08:30:00", "true", None, "A")
    assert table.rows == (Row(2, seen),)


def test_every_sheet_is_a_table_and_blank_ones_are_none(tmp_path: Path) -> None:
    sheets: list[tuple[str, list[list[object]]]] = [
        ("A", [["Mã", "Tên"], ["1", "x"]]),
        ("Trống", []),
    ]
    path = workbook(tmp_path, *sheets, ("B", [[], ["Mã", "Nhu cầu"], [], ["2", "y"]]))
    first, second = read_tables(path)
    assert (first.sheet, second.sheet) == ("A", "B")
    assert second.rows == (Row(4, ("2", "y")),)


def test_the_content_decides_not_the_extension(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("A", [["Mã", "Tên"], ["1", "x"]]), name="a.xlsx")
    (table,) = read_tables(path.rename(tmp_path / "a.csv"))
    assert table.rows == (Row(2, ("1", "x")),)


def test_numbers_in_full() -> None:
    assert number_text(1e21) == "1000000000000000000000"
    assert number_text(0.0000001) == "0.0000001"
    assert number_text(0.125) == "0.125"  # cannot be mistaken for a thousand
    assert number_text(-1.125) == "-1,125"


# JSON lines -------------------------------------------------------------------------------------


def test_json_lines(tmp_path: Path) -> None:
    first = {"id": "T1", "products": ["vải", "nhãn"], "trl": 7, "extra": {"Ghi chú": "a"}}
    second = {"id": "T2", "cost_from": 1.5, "illustrative": True, "name": None}
    lines = [json.dumps(first), "{hỏng", "", "[1]", json.dumps(second, ensure_ascii=False)]
    (table,) = read_tables(put(tmp_path, "\n".join(lines), "t.jsonl"))
    assert table.headings[:4] == ("id", "products", "trl", "Ghi chú")
    assert table.headings[4:] == ("cost_from", "illustrative", "name")
    assert table.rows[0].values == ("T1", "vải;nhãn", "7", "a", None, None, None)
    assert [(row.number, row.problem is None) for row in table.rows] == [
        (1, True),
        (2, False),
        (4, False),
        (5, True),
    ]
    assert table.rows[3].values == ("T2", None, None, None, "1.5", "true", None)


def test_deep_json_is_a_broken_line(tmp_path: Path) -> None:
    (table,) = read_tables(put(tmp_path, '{"id": "1"}\n{"a": ' + "[" * 100_000, "t.jsonl"))
    assert [row.problem is None for row in table.rows] == [True, False]


# Refusals ---------------------------------------------------------------------------------------


def test_missing_empty_folder(tmp_path: Path) -> None:
    assert "không tìm thấy tệp" in refusal(tmp_path / "không có.csv")
    assert "thư mục" in refusal(tmp_path)
    for data in (b"", b"\xef\xbb\xbf", b"\xff\xfe", b" \r\n\n"):
        assert "tệp rỗng" in refusal(put(tmp_path, data))
    assert "không có dòng dữ liệu" in refusal(workbook(tmp_path, ("A", []), ("B", [])))
    assert "không có dòng dữ liệu" in refusal(put(tmp_path, ",,\n,,\n"))


def test_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, TEXT)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert "quyền đọc" in refusal(path)
    monkeypatch.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(OSError(5, "I/O")))
    assert "mã lỗi 5" in refusal(path)


@pytest.mark.skipif(os.name == "nt", reason="named pipes are of Unix")
def test_not_a_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")  # reading it would wait for ever
    assert "không phải là tệp dữ liệu" in refusal(tmp_path / "pipe.csv")


def zipped(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in members.items():
            package.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "lưu lại thành .xlsx"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "ảnh"),
        (bytes(range(256)) * 10, "nhị phân"),
        (b"<html><table><tr><td>M</td></tr></table></html>", "HTML"),
        (zipped(word__document_xml="x"), "Word"),
        (zipped(a="x"), "ZIP"),
        (b"PK\x03\x04 nothing of a zip", "bị hỏng"),
        (zipped(xl__workbook_xml="<workbook"), "bị hỏng"),
        ("технология сушки, хранение\n".encode("cp1251"), "không nhận ra bảng mã"),
    ],
)
def test_wrong_type(tmp_path: Path, data: bytes, said: str) -> None:
    assert said in refusal(put(tmp_path, data))


def test_a_truncated_workbook(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("A", [["Mã", "Tên"], ["1", "x"]]))
    path.write_bytes(path.read_bytes()[:-200])
    assert "bị hỏng" in refusal(path)


def test_json_that_is_not_lines(tmp_path: Path) -> None:
    assert "mỗi đối tượng trên một dòng" in refusal(put(tmp_path, '[\n{"id": 1}\n]', "a.json"))


def test_zip_bomb(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("A", [["Mã", "Tên"], ["1", "x"]]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet2.xml", bytes(40 * 2**20))
    assert path.stat().st_size < 100_000
    assert "tệp nén bất thường" in refusal(path)
    assert "tệp nén bất thường" in refusal(path, Limits(unpacked_bytes=2**20, ratio=1e9))
    assert "tệp nén bất thường" in refusal(path, Limits(entries=3, ratio=1e9))


def test_too_large(tmp_path: Path) -> None:
    assert "quá lớn" in refusal(put(tmp_path, TEXT), Limits(file_bytes=10))
    path = workbook(tmp_path, ("A", [["Mã"], [1], [2], [3], [4], [5]]))
    assert "có quá 5 dòng" in refusal(path, Limits(rows=5))


# Headings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_own_titles_and_english_names_are_recognised(kind: str) -> None:
    left_out = {"extra", "certainty"}
    fields = [name for name in KINDS[kind].model_fields if name not in left_out]
    titles = [str(KINDS[kind].model_fields[name].title) for name in fields]
    for headings in (titles, fields, [title.upper() for title in titles]):
        layout = recognise(headings)
        assert (layout.kind, list(layout.fields.values())) == (kind, fields)
        assert not layout.unknown
        assert not layout.doubles


def test_alternatives_case_accents_and_underscores() -> None:
    layout = recognise(["MA CN", "ten_cong_nghe", "Chủ sở hữu", "Giá từ", "năm  công\nbố", "Màu"])
    assert layout.kind == "technology"
    assert layout.fields == {0: "id", 1: "name", 2: "owner", 3: "cost_from", 4: "year"}
    assert layout.unknown == (5,)


def test_money_units_in_a_heading() -> None:
    layout = recognise(
        ["Mã", "Tên công nghệ", "Chi phí từ (tỷ đồng)", "Giá đến (đồng)", "Tỉnh (cũ)"]
    )
    assert layout.fields == {0: "id", 1: "name", 2: "cost_from", 3: "cost_to"}
    assert (layout.units[2], layout.units[3]) == (1000, 1e-6)
    assert layout.unknown == (4,)  # another fact than "Tỉnh"


def test_the_first_of_two_columns_of_a_field_wins() -> None:
    layout = recognise(["Mã", "Tên", "Tên công nghệ", "TRL"])
    assert (layout.fields, layout.doubles) == ({0: "id", 1: "name", 3: "trl"}, {2: "name"})


def test_names_only_break_ties() -> None:
    headings = ["Mã", "Tên", "Tỉnh"]
    assert recognise(headings, "Sản phẩm").kind == "product"
    assert recognise(headings, None, "technologies.csv").kind == "technology"
    assert recognise(headings, "Công nghệ", "sản-phẩm.xlsx").kind == "technology"
    assert recognise([*headings, "Danh mục"], "Công nghệ").kind == "product"
    with pytest.raises(UnknownTable, match='"Công nghệ" hay "Sản phẩm"'):
        recognise(headings, "Sheet1", "ds.xlsx")


def test_an_unknown_table_says_what_was_seen_and_what_is_near() -> None:
    with pytest.raises(UnknownTable) as caught:
        recognise(["Mã", "Tên công nhệ", "TRL", "Đơn vị sở hữu"])
    message = str(caught.value)
    assert '"Tên công nhệ" có phải là "Tên công nghệ"?' in message
    assert 'bảng Công nghệ nhưng thiếu cột "Tên công nghệ"' in message
    with pytest.raises(UnknownTable, match="dòng đầu của bảng phải là tiêu đề"):
        recognise(["a", "b"])


def test_nearest() -> None:
    assert nearest("technology", "Linh vưcc") == "Lĩnh vực"
    assert nearest(None, "Nhu cau cong nghe") == "Nhu cầu"
    assert nearest("technology", "zzzz") is None
