"""corpus.cells, drafts, links, rejects, readers: every row loads, repeats or is told why not."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from corpus import cells
from corpus.headings import title
from corpus.outcomes import Outcome, ReasonKind
from corpus.readers import FileCount, Known, Loaded, Rejected, read, write_rejected
from corpus.records import KINDS, MAX_CELL, STAGES, Decision, Need, Product, Record, Technology
from corpus.text import squeeze

TECH = ["Mã", "Tên công nghệ", "TRL", "Chi phí từ (triệu đồng)", "Chi phí đến (triệu đồng)"]
PRODUCTS = "Mã,Tên sản phẩm\nSP1,Vải thiều\nSP2,Nhãn lồng\n"
NEEDS = "Mã,Mã sản phẩm,Nhu cầu\nN1,SP1,Giữ vỏ đỏ\n"


def put(folder: Path, text: str | bytes, name: str = "technologies.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def as_csv(rows: list[list[str]], delimiter: str = ",") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def techs(folder: Path, *rows: list[str], headings: list[str] = TECH) -> Loaded:
    return read([put(folder, as_csv([headings, *rows]))])


def one(loaded: Loaded) -> Rejected:
    (rejected,) = loaded.rejected
    return rejected


def balanced(loaded: Loaded) -> bool:
    """Whether every row is accounted for, and the counts agree with what came out."""
    whole = all(c.rows == c.loaded + c.repeated + c.rejected for c in loaded.counts)
    read_rows = [r for r in loaded.rejected if r.row]
    read_tables = [c for c in loaded.counts if c.kind]
    return (
        whole
        and sum(c.loaded for c in loaded.counts) == len(loaded.records)
        and sum(c.rejected for c in read_tables) == len(read_rows)
    )


def store(*records: Record) -> Known:
    """Return what a store that holds ``records`` would know."""
    return Known(
        **{
            kind: {r.key: r.content_hash() for r in records if r.kind_name == kind}
            for kind in KINDS
        }
    )


# Cells ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("350", 350),
        ("350,5", 350.5),
        ("350.5", 350.5),
        ("1.200", 1200),
        ("1.200,5", 1200.5),
        ("1.234.567", 1234567),
        ("1,234,567", 1234567),
        ("1,200.5", 1200.5),
        ("0.125", 0.125),
        ("1,2 tỷ", 1200),
        ("1,2 TỈ đồng", 1200),
        ("350 triệu", 350),
        ("350tr", 350),
        ("350 triệu VNĐ", 350),
        ("1 tỷ 200 triệu", 1200),
        ("350.000.000 đ", 350),
        ("500 nghìn đồng", 0.5),
        ("0", 0),
    ],
)
def test_money(text: str, value: float) -> None:
    assert cells.parse_money(text).value == pytest.approx(value)


NOT_MONEY = ["abc", "-5", "−5", "- 5", "50 USD", "100-200", "100 - 200", "1 tỷ 2", "1.2.3", ""]
NOT_MONEY += ["5 triệu 2 tỷ", "350 triệu/ha", "nan", "inf", "1e5", "9" * 400, "triệu"]


@pytest.mark.parametrize(
    "text",
    NOT_MONEY,
)
def test_not_money(text: str) -> None:
    with pytest.raises(cells.CellError):
        cells.parse_money(text)


def test_money_that_may_be_meant_otherwise_gets_a_note() -> None:
    assert "đơn vị" in str(cells.parse_money("350000000").note)
    assert '"1.200"' in str(cells.parse_money("1,200").note)
    assert cells.parse_money("1,2").note is None


@pytest.mark.parametrize("text", ["2026-05-01", "01/05/2026", "1/5/2026", "1.5.2026", "01-05-2026"])
def test_dates(text: str) -> None:
    assert cells.parse_date(text).value == dt.date(2026, 5, 1)
    assert cells.parse_date("2026-05-01 00:00:00").value == dt.date(2026, 5, 1)


@pytest.mark.parametrize("text", ["31/02/2026", "2026-13-01", "05/2026", "1/5/26", "45413", "nay"])
def test_not_dates(text: str) -> None:
    with pytest.raises(cells.CellError):
        cells.parse_date(text)


def test_levels() -> None:
    assert [cells.parse_trl(text).value for text in ("7", "TRL 7", "trl7", "7.0", "TRL: 7")] == [
        7
    ] * 5
    for text in ("12", "0", "-7", "7,5", "6-7", "bảy"):
        with pytest.raises(cells.CellError, match="cần số nguyên từ 1 đến 9"):
            cells.parse_trl(text)
    assert cells.parse_year("Năm 2021").value == 2021
    assert cells.parse_grade("0").value == 0
    with pytest.raises(cells.CellError):
        cells.parse_grade("4")


def test_flags() -> None:
    assert all(cells.parse_flag(text).value for text in ("Có", "x", "TRUE", "1", "đúng"))
    assert not any(cells.parse_flag(text).value for text in ("không", "FALSE", "0"))
    with pytest.raises(cells.CellError):
        cells.parse_flag("có thể")


def test_stages() -> None:
    assert cells.parse_stage("BAO QUAN") == ("bảo quản", None)
    assert cells.parse_stage("nuôi trồng").value == "canh tác/nuôi trồng"
    near = cells.parse_stage("bảo quảnn")
    assert (near.value, "được hiểu" in str(near.note)) == ("bảo quản", True)
    far = cells.parse_stage("chế biến sâu")
    assert (far.value, 'có phải là "chế biến"?' in str(far.note)) == ("chế biến sâu", True)
    assert cells.parse_stages("bảo quản; logistic").value == ("bảo quản", "logistics")
    assert all(cells.parse_stage(stage) == (stage, None) for stage in STAGES)


def test_visibility() -> None:
    text = "Mô tả chi tiết: theo NDA; lien he: THEO NDA; Hiệu quả: công khai; Tóm tắt: công khai"
    assert cells.parse_visibility(text).value == ("detail", "contact")
    assert cells.parse_visibility("Chi phí: sau NDA").value == ("cost_from", "cost_to")
    assert cells.parse_visibility("công khai").value == ()
    assert cells.parse_visibility("detail;contact").value == ("detail", "contact")  # our own JSON


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Mô tả bí mật: theo NDA", 'không có phần "Mô tả bí mật"'),
        ("Tóm tắt: theo NDA", "luôn công khai"),
        ("Liên hệ: kín", "cần ghi"),
        ("Liên hệ", "cần ghi"),
        ("theo NDA", "không có phần"),
    ],
)
def test_visibility_that_cannot_be_told_is_refused(text: str, said: str) -> None:
    with pytest.raises(cells.CellError, match=said):
        cells.parse_visibility(text)


def test_every_typed_field_has_a_parser() -> None:
    for kind, record in KINDS.items():
        for name, info in record.model_fields.items():
            parser = cells.parser_for(kind, name)
            plain = "str" in str(info.annotation) and "tuple" not in str(info.annotation)
            if name not in {"extra", "stage"}:
                assert (parser is cells.parse_text) == plain, (kind, name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Đã liên hệ", Outcome.CONTACTED),
        ("da ky hop dong", Outcome.SIGNED),
        ("MOU", Outcome.AGREED),
        ("Thỏa thuận - MOU", Outcome.AGREED),
        ("no longer needed", Outcome.NO_LONGER_NEEDED),
        ("could_not_reach", Outcome.COULD_NOT_REACH),
        ("Shortlisted", Outcome.SHORTLISTED),
    ],
)
def test_outcomes(text: str, value: Outcome) -> None:
    assert cells.parse_outcome(text).value == value


def test_every_outcome_and_reason_is_read_back_as_written() -> None:
    for outcome in Outcome:
        assert cells.parse_outcome(str(outcome)).value == outcome
        assert cells.parse_outcome(outcome.name).value == outcome
    for kind in ReasonKind:
        assert cells.parse_reason_kind(str(kind)).value == kind
        assert cells.parse_reason_kind(kind.name).value == kind


def test_an_unknown_outcome_is_refused_with_the_nearest_and_the_list() -> None:
    with pytest.raises(cells.CellError, match=r'có phải là "đã liên hệ".*; từ chối;'):
        cells.parse_outcome("đã liên hê lại")
    with pytest.raises(cells.CellError, match=r"^các giá trị dùng được: không đúng nhu cầu;"):
        cells.parse_reason_kind("vì thế")


# One row ----------------------------------------------------------------------------------------


def test_a_full_row(tmp_path: Path) -> None:
    headings = [*TECH, "Khâu", "Hiệu lực đến", "Chế độ hiển thị", "Lĩnh vực", "Ghi chú", "Minh họa"]
    row = ["T1", "Sấy", "TRL 7", "350,5", "1,2 tỷ", "che bien", "31/12/2027", "Liên hệ: theo NDA"]
    loaded = techs(tmp_path, [*row, "Cơ khí;  Sấy;Cơ khí", "Tốt", "x"], headings=headings)
    assert not loaded.rejected
    assert loaded.records == (
        Technology(
            id="T1",
            name="Sấy",
            trl=7,
            cost_from=350.5,
            cost_to=1200,
            stages=("chế biến",),
            valid_until=dt.date(2027, 12, 31),
            restricted=("contact",),
            fields=("Cơ khí", "Sấy"),
            extra={"Ghi chú": "Tốt"},
            illustrative=True,
            source="technologies.csv dòng 2",
        ),
    )
    assert loaded.counts == (FileCount("technologies.csv", None, "technology", 1, 1, 0, 0),)
    assert [notice.column for notice in loaded.notices] == ["Ghi chú"]


def test_what_was_rewritten_stands_in_where_a_record_is_from(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["T1", "Sấy trƣớc khi toả, thuỷ phân", "7"])
    (found,) = loaded.records
    assert found.name == "Sấy trước khi tỏa, thủy phân"
    told = 'đã sửa ở cột "Tên công nghệ": mã ký tự sai (1 chữ), vị trí dấu thanh (2 chữ)'
    assert found.source == f"technologies.csv dòng 2; {told}"


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (["T1", "Sấy", "12"], "TRL", 'giá trị "12" không hợp lệ (cần số nguyên từ 1 đến 9)'),
        (["T1", "Sấy", "", "abc"], TECH[3], 'giá trị "abc" không hợp lệ (cần số tiền'),
        (["T1", "Sấy", "", "-5"], TECH[3], "số tiền không được âm"),
        (["T1", "Sấy", "", "500", "300"], TECH[3], "lớn hơn chi phí đến (300)"),
        (["T1", ""], TECH[1], "thiếu giá trị"),
        (["", "Sấy"], "Mã", "thiếu giá trị"),
        (["T" * 101, "Sấy"], "Mã", "dài quá 100 ký tự"),
        (["T1", "x" * (MAX_CELL + 1)], TECH[1], "giới hạn là 200.000"),
        (["T1", "#N/A"], TECH[1], "ô báo lỗi công thức"),
        (["T1", "S\ufffdy"], TECH[1], "ký tự bị hỏng"),
        (["T1", "Sấy", "7", "1", "2", "thừa"], None, "dòng có 6 ô, nhiều hơn 5 cột"),
    ],
)
def test_a_bad_row_is_located_and_the_others_load(
    tmp_path: Path, row: list[str], column: str | None, said: str
) -> None:
    loaded = techs(tmp_path, ["A", "Trước"], row, ["B", "Sau"])
    assert [record.key for record in loaded.records] == ["A", "B"]
    rejected = one(loaded)
    assert (rejected.file, rejected.row, rejected.column) == ("technologies.csv", 3, column)
    assert said in rejected.message
    assert rejected.message.startswith("technologies.csv dòng 3")
    assert len(rejected.message) < 300
    assert [value or "" for _, value in rejected.cells][: len(row)] == row
    assert balanced(loaded)


def test_the_message_of_the_brief(tmp_path: Path) -> None:
    rejected = one(techs(tmp_path, ["T1", "Sấy", "12"]))
    expected = (
        'technologies.csv dòng 2, cột "TRL": giá trị "12" không hợp lệ (cần số nguyên từ 1 đến 9)'
    )
    assert rejected.message == expected


def test_all_problems_of_a_row_are_told_at_once(tmp_path: Path) -> None:
    rejected = one(techs(tmp_path, ["T1", "", "12", "abc"]))
    assert (rejected.column, rejected.value) == ("TRL", "12")
    assert f'cột "{TECH[3]}": giá trị "abc"' in rejected.reason
    assert f'cột "{TECH[1]}": thiếu giá trị' in rejected.reason


def test_two_megabytes_in_one_cell(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["A", "x" * 2 * 2**20], ["B", "Sau"])
    assert "2.097.152 ký tự" in one(loaded).reason
    assert [record.key for record in loaded.records] == ["B"]


def test_control_characters_become_spaces_with_a_notice(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["T1", "Sấy\x00lạnh\x07"])
    assert isinstance(loaded.records[0], Technology)
    assert loaded.records[0].name == "Sấy lạnh"
    assert "ký tự điều khiển" in loaded.notices[0].message
    assert "dòng 2" in loaded.notices[0].message


def test_decomposed_text_is_composed(tmp_path: Path) -> None:
    text = as_csv([[*TECH, "Ghi chú"], ["T1", "Sấy lạnh", "", "", "", "Tốt ạ"]])
    loaded = read([put(tmp_path, unicodedata.normalize("NFD", text))])
    (record,) = loaded.records
    assert record.extra == {"Ghi chú": "Tốt ạ"}
    assert "Sấy lạnh" in record.model_dump_json()


def test_lone_surrogates_of_json_are_refused(tmp_path: Path) -> None:
    text = '{"id": "T1", "name": "a\\ud800"}\n{"id": "T2", "name": "b", "trl": 3}\n{hỏng\n'
    loaded = read([put(tmp_path, text, "technologies.jsonl")])
    assert [record.key for record in loaded.records] == ["T2"]
    assert [(r.row, r.column) for r in loaded.rejected] == [(1, "name"), (3, None)]
    assert loaded.rejected[1].value == "{hỏng"
    written = write_rejected(loaded.rejected, tmp_path / "loi.xlsx")
    assert [path.name for path in written] == ["loi.xlsx", "loi.jsonl"]


def test_columns(tmp_path: Path) -> None:
    headings = ["STT", "Mã", "Tên", "Tên công nghệ", "Lĩnh vựcc", "", "Lĩnh vựcc", "TRL"]
    loaded = techs(tmp_path, ["1", "T1", "A", "B", "c", "d", "e", "7"], headings=headings)
    (record,) = loaded.records
    assert record.extra == {
        "Tên công nghệ": "B",
        "Lĩnh vựcc": "c",
        "Cột 6": "d",
        "Lĩnh vựcc (2)": "e",
    }
    double, unknown, _ = loaded.notices
    assert 'cùng nội dung với cột "Tên"' in double.message
    assert 'cột "Lĩnh vựcc": tiêu đề không có trong mẫu' in unknown.message
    assert 'có phải là "Lĩnh vực"?' in unknown.message


def test_a_double_column_never_publishes_what_is_under_nda(tmp_path: Path) -> None:
    headings = ["Mã", "Tên công nghệ", "Liên hệ", "Email", "Chế độ hiển thị"]
    rows = [["T1", "A", "x", "bí mật", "Liên hệ: theo NDA"], ["T2", "B", "x", "y", ""]]
    loaded = techs(tmp_path, *rows, headings=headings)
    assert one(loaded).column == "Email"
    assert [record.extra for record in loaded.records] == [{"Email": "y"}]


def test_the_unit_of_a_money_heading_counts(tmp_path: Path) -> None:
    headings = ["Mã", "Tên công nghệ", "Chi phí từ (tỷ đồng)", "Giá đến (đồng)"]
    loaded = techs(tmp_path, ["T1", "A", "1,2", "1.500.000.000"], headings=headings)
    (record,) = loaded.records
    assert isinstance(record, Technology)
    assert (record.cost_from, record.cost_to) == (1200, 1500)


# Many rows and files ----------------------------------------------------------------------------


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    judgments = put(tmp_path, "N1\tT1\t3\nN1\tT2\t0\n", "judgments.tsv")
    needs = put(tmp_path, NEEDS, "needs.csv")
    products = put(tmp_path, PRODUCTS, "products.csv")
    supply = put(tmp_path, "Mã,Tên công nghệ\nT1,A\nT2,B\n")
    files = [judgments, needs, products, supply]
    kinds = ["product", "product", "technology", "technology", "need", "judgment", "judgment"]
    for order in (files, files[::-1]):
        loaded = read(order)
        assert [record.kind_name for record in loaded.records] == kinds
        assert [count.file for count in loaded.counts] == [path.name for path in order]
        assert not loaded.rejected


DECISIONS = (
    "Nhu cầu,Công nghệ,Kết quả,Ngày,Nhóm lý do,Lý do,Việc cần làm,Hạn,Sự kiện,Người ghi,Vị trí\n"
    "N1,T1,đã liên hệ,02/05/2026,,,Gửi báo giá,09/05/2026,Techmart 2026,Lan,2\n"
    "N1,T1,đã ký hợp đồg,20/06/2026,,,,,,,\n"
    "n1,t2,Từ chối,2026-05-02,Chi phí,Giá gấp đôi,,,,,hạng 3\n"
    "N1,T9,từ chối,02/05/2026,,,,,,,\n"
    "N1,T2,từ chối,,,,,,,,\n"
)


def test_decisions_are_read_with_what_they_refer_to(tmp_path: Path) -> None:
    decisions = put(tmp_path, DECISIONS, "quyet-dinh.csv")
    files = [put(tmp_path, "Mã,Mã sản phẩm,Nhu cầu\nN1,SP1,a\n", "needs.csv")]
    files += [put(tmp_path, PRODUCTS, "products.csv")]
    files += [put(tmp_path, "Mã,Tên công nghệ\nT1,A\nT2,B\n")]
    loaded = read([decisions, *files])
    made = [record for record in loaded.records if isinstance(record, Decision)]
    assert [(each.technology, each.outcome, each.rank) for each in made] == [
        ("T1", Outcome.CONTACTED, 2),
        ("T2", Outcome.REJECTED, 3),
    ]
    assert (made[0].next_step, made[0].next_date) == ("Gửi báo giá", dt.date(2026, 5, 9))
    assert (made[0].event, made[0].by) == ("Techmart 2026", "Lan")
    assert (made[1].reason_kind, made[1].reason) == (ReasonKind.PRICE, "Giá gấp đôi")
    misspelt, unknown, undated = loaded.rejected
    assert (misspelt.row, misspelt.column) == (3, "Kết quả")
    assert 'có phải là "đã ký hợp đồng"?' in misspelt.reason
    assert (unknown.row, unknown.column) == (5, "Công nghệ")
    assert (undated.row, undated.column) == (6, "Ngày")
    assert balanced(loaded)
    again = read([decisions, *files], store(*loaded.records))
    assert not again.records
    assert again.counts[0].repeated == 2


def test_two_decisions_of_one_kind_on_one_day_must_agree(tmp_path: Path) -> None:
    rows = "N1,T1,từ chối,02/05/2026,giá\nN1,T1,từ chối,02/05/2026,bên cầu\n"
    text = "Nhu cầu,Công nghệ,Kết quả,Ngày,Nhóm lý do\n" + rows
    known = store(Need(id="N1", product="P", text="a"), Technology(id="T1", name="A"))
    loaded = read([put(tmp_path, text)], known)
    assert len(loaded.records) == 1
    assert "N1 – T1 – 2026-05-02 – từ chối" in one(loaded).reason


def test_unknown_references_are_refused_with_a_guess(tmp_path: Path) -> None:
    needs = "Mã,Mã sản phẩm,Nhu cầu\nN1,SP1,a\nN2,SP9,b\nN3,XYZ,c\nN4,vải thiều,d\nN5,sp2,e\n"
    files = [put(tmp_path, PRODUCTS, "products.csv"), put(tmp_path, needs, "needs.csv")]
    files += [put(tmp_path, "N1\tT1\t3\nN9\tT1\t1\n", "judgments.tsv")]
    loaded = read([*files, put(tmp_path, "Mã,Tên công nghệ\nT1,A\n")])
    products = {r.id: r.product for r in loaded.records if isinstance(r, Need)}
    assert products == {"N1": "SP1", "N4": "SP1", "N5": "SP2"}
    ninth, xyz, judgment = loaded.rejected
    assert ninth.message.startswith('needs.csv dòng 3, cột "Mã sản phẩm": không có sản phẩm "SP9"')
    assert 'có phải là "SP' in ninth.message
    variety = put(tmp_path, "Mã,Mã sản phẩm,Nhu cầu\nN1,Vải thiều Thanh Hà,a\n", "needs.csv")
    known = Known.of_kinds({}, [Product(id="SP1", name="Vải thiều"), Product(id="SP2", name="Vải")])
    told = one(read([variety], known)).message
    assert told.endswith('; có phải là "SP1" (Vải thiều)?')  # the longest name that stands in it
    assert "có phải" not in xyz.message
    assert (judgment.row, judgment.column) == (2, "Mã nhu cầu")
    assert balanced(loaded)


def test_what_the_store_holds_can_be_referred_to(tmp_path: Path) -> None:
    needs = put(tmp_path, NEEDS, "needs.csv")
    assert "SP1" in one(read([needs])).message
    assert not read([needs], Known(product={"SP1": ""})).rejected


def test_parents(tmp_path: Path) -> None:
    rows = [
        ["Mã", "Tên sản phẩm", "Sản phẩm cha"],
        ["A", "Vải", "Cây ăn quả"],
        ["B", "Cây ăn quả", ""],
    ]
    rows += [["C", "Nhãn", "Z99"], ["D", "Ổi", "E"], ["E", "Na", "D"], ["F", "Mận", "F"]]
    loaded = read([put(tmp_path, as_csv(rows), "products.csv")])
    products = {r.id: r for r in loaded.records if isinstance(r, Product)}
    parents = {key: product.parent for key, product in products.items()}
    assert parents == {"A": "B", "B": None, "C": None, "D": "E", "E": None, "F": None}
    assert products["C"].extra == {"Sản phẩm cha": "Z99"}
    assert [(n.row, n.column) for n in loaded.notices] == [(r, "Sản phẩm cha") for r in (4, 6, 7)]
    assert "cha của chính nó" in loaded.notices[1].message


def test_the_same_id_twice(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first = put(tmp_path, "Mã,Tên công nghệ\nT1,A\nT1,A\nT1,B\n")
    second = put(tmp_path, "Mã,Tên công nghệ\nT1,C\nT1,A\n", "khac.csv")
    loaded = read([first, second])
    assert loaded.counts == (
        FileCount("technologies.csv", None, "technology", 3, 1, 1, 1),
        FileCount("khac.csv", None, "technology", 2, 0, 1, 1),
    )
    assert [r.message for r in loaded.rejected] == [
        'technologies.csv dòng 4, cột "Mã": trùng mã "T1" với technologies.csv dòng 2 '
        "nhưng nội dung khác",
        'khac.csv dòng 2, cột "Mã": trùng mã "T1" với technologies.csv dòng 2 nhưng nội dung khác',
    ]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    paths = [put(folder, "Mã,Tên công nghệ\nT1,A\n") for folder in (tmp_path, tmp_path / "b")]
    loaded = read([*paths, paths[0]])  # the same path twice is one file
    assert [count.file for count in loaded.counts] == [str(path) for path in paths]
    assert [count.repeated for count in loaded.counts] == [0, 1]


def test_loading_again_repeats_and_changes_load(tmp_path: Path) -> None:
    path = put(tmp_path, "Mã,Tên công nghệ\nT1,A\nT2,B\n")
    known = store(*read([path]).records)
    assert read([path], known).counts[0].repeated == 2
    put(tmp_path, "Mã,Tên công nghệ\nT1,A\nT2,khác\n")
    again = read([path], known)
    assert [record.key for record in again.records] == ["T2"]
    assert again.counts[0].repeated == 1


def test_unreadable_and_unknown_files_do_not_stop_the_others(tmp_path: Path) -> None:
    files = [tmp_path / "không có.csv", put(tmp_path, b"%PDF-1.4", "a.pdf")]
    files += [put(tmp_path, "Cột lạ,Cột khác\n1,2\n3,4\n", "la.csv"), put(tmp_path, "", "rong.csv")]
    loaded = read([*files, tmp_path, put(tmp_path, "Mã,Tên công nghệ\nT1,A\n")])
    assert [record.key for record in loaded.records] == ["T1"]
    assert [(r.file, r.row) for r in loaded.rejected[:4]] == [(path.name, 0) for path in files]
    assert "2 dòng chưa được nạp" in loaded.rejected[2].message
    assert loaded.counts[2] == FileCount("la.csv", None, None, 2, 0, 0, 2)
    assert balanced(loaded)
    assert write_rejected(loaded.rejected, tmp_path / "loi.xlsx") == ()


def test_blank_rows_are_not_counted(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["T1", "A"], ["", " "], [], ["T2", "B"])
    assert loaded.counts[0].rows == 2


def test_sheets_of_one_workbook(tmp_path: Path) -> None:
    book = Workbook()
    book.remove(book.worksheets[0])
    book.create_sheet("Trống")
    content: dict[str, list[list[object]]] = {
        "Nhu cầu": [["Mã", "Mã sản phẩm", "Nhu cầu"], ["N1", "SP1", "Giữ đỏ"], ["N2", "SP1", ""]],
        "Sản phẩm": [["Mã", "Tên"], ["SP1", "Vải"]],
        "Công nghệ": [["Mã", "Tên"], ["T1", "Sấy", "ghi chú bên lề"]],
    }
    for name, rows in content.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    loaded = read([tmp_path / "a.xlsx"])
    assert [r.key for r in loaded.records] == ["SP1", "T1", "N1"]
    assert loaded.records[1].extra == {"Cột 3": "ghi chú bên lề"}
    assert one(loaded).message == (
        'a.xlsx (trang tính "Nhu cầu") dòng 3, cột "Nhu cầu": thiếu giá trị, cột này bắt buộc'
    )


# The file of rejected rows ----------------------------------------------------------------------

BAD = [
    ["Mã", "Tên", "TRL", "Ghi chú", "Mô tả"],
    ["T1", "Sấy", "12", "=1+1", "dòng một\ndòng hai"],
    ["T2", "+84 khử", "13", "'=đã có nháy", "- gạch đầu dòng\x01"],
    ["T3", "@nhà", "abc", "_x0041_", '"ngoặc"; phẩy, chấm'],
]


@pytest.mark.parametrize("name", ["loi.xlsx", "loi.csv"])
def test_rejected_rows_are_corrected_and_load(tmp_path: Path, name: str) -> None:
    source = put(tmp_path, json_lines(BAD), "technologies.jsonl")
    loaded = read([source])
    assert [r.row for r in loaded.rejected] == [1, 2, 3]
    (path,) = write_rejected(loaded.rejected, tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, name])
    correct(path, {"12": "7", "13": "7", "abc": "7"})
    again = read([path])
    assert not again.rejected
    good = [BAD[0], *([*row[:2], "7", *row[3:]] for row in BAD[1:])]
    expected = read([put(tmp_path, json_lines(good), "technologies2.jsonl")])
    assert facts(again) == facts(expected)
    assert len(again.records) == 3


def json_lines(rows: list[list[str]]) -> str:
    return "\n".join(json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:])


def facts(loaded: Loaded) -> list[Any]:
    """Return the records without where they were read from."""
    return [record.model_copy(update={"source": None}) for record in loaded.records]


def correct(path: Path, changes: dict[str, str]) -> None:
    """Do what a person would do to the file of rejected rows."""
    if path.suffix == ".csv":
        text = path.read_bytes().decode("utf-8-sig")
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        for old, new in changes.items():
            text = text.replace(f'"{old}"', f'"{new}"')
        path.write_bytes(text.encode("utf-8-sig"))
        return
    book = load_workbook(path)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}
                if isinstance(cell.value, str):
                    cell.value = changes.get(cell.value, cell.value)
    book.save(path)


def test_the_rejected_file_tells_where_and_why(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["T1", "Sấy", "12"])
    (path,) = write_rejected(loaded.rejected, tmp_path / "loi.csv")
    lines = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert lines[0] == [*TECH, "Lỗi", "Tệp", "Dòng"]
    reason = 'cột "TRL": giá trị "12" không hợp lệ (cần số nguyên từ 1 đến 9)'
    assert lines[1] == ["T1", "Sấy", "12", "", "", reason, "technologies.csv", "2"]


def test_a_row_rejected_again_keeps_one_set_of_marks(tmp_path: Path) -> None:
    first = techs(tmp_path, ["T1", "Sấy", "12"])
    (path,) = write_rejected(first.rejected, tmp_path / "loi.xlsx")
    second = read([path])
    assert one(second).cells == one(first).cells
    assert one(second).file == "loi.xlsx"


def test_a_column_named_like_one_mark_is_the_users_own(tmp_path: Path) -> None:
    loaded = techs(tmp_path, ["T1", "A", "Dòng cao cấp"], headings=["Mã", "Tên công nghệ", "Dòng"])
    assert loaded.records[0].extra == {"Dòng": "Dòng cao cấp"}


def test_kinds_and_headings_go_to_sheets_or_files_of_their_own(tmp_path: Path) -> None:
    files = [
        put(tmp_path, "Mã,Tên,Tỉnh\nT1,,Huế\n"),
        put(tmp_path, "Mã,Tên,Tỉnh\nP1,,Huế\n", "sản phẩm.csv"),
    ]
    rejected = read([*files, put(tmp_path, "Mã,Tên\nT2,\n", "công-nghệ.csv")]).rejected
    (path,) = write_rejected(rejected, tmp_path / "loi.xlsx")
    assert load_workbook(path).sheetnames == ["Công nghệ", "Sản phẩm", "Công nghệ 2"]
    assert [count.kind for count in read([path]).counts] == ["technology", "product", "technology"]
    written = write_rejected(rejected, tmp_path / "loi.csv")
    names = ["loi-cong-nghe-1.csv", "loi-san-pham-2.csv", "loi-cong-nghe-3.csv"]
    assert [path.name for path in written] == names
    assert [count.kind for count in read(written).counts] == ["technology", "product", "technology"]


def test_what_excel_cannot_hold_goes_to_a_csv(tmp_path: Path) -> None:
    headings = ["Mã", "Tên công nghệ", "Mô tả", "TRL"]
    loaded = techs(tmp_path, ["T1", "A", "dài " * 10_000, "12"], headings=headings)
    (path,) = write_rejected(loaded.rejected, tmp_path / "loi.xlsx")
    assert path.name == "loi.csv"
    correct(path, {"12": "7"})
    (record,) = read([path]).records
    assert isinstance(record, Technology)
    assert len(record.detail or "") == 39_999


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = techs(tmp_path, ["T1", "Sấy", "12"])
    old = put(tmp_path, "cũ", "loi.xlsx")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Workbook, "save", full)
    with pytest.raises(OSError, match="No space"):
        write_rejected(loaded.rejected, old)
    assert old.read_text() == "cũ"
    assert len(list(tmp_path.iterdir())) == 2


# Properties -------------------------------------------------------------------------------------

WORDS = st.text(
    st.sampled_from("aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạ 0123456789.,-=+@'\"\n\t;:()"), max_size=12
)
PLAIN = st.text(st.sampled_from("aăâđêôơưbchnt 0123456789.,-()"), min_size=1, max_size=12)
TITLES = {name: title("technology", name) for name in ("id", "name", "trl", "cost_from", "stages")}
TITLES |= {name: title("technology", name) for name in ("valid_until", "restricted", "keywords")}
GOOD = st.fixed_dictionaries(
    {
        "name": PLAIN.map(lambda text: f"Tên {text}"),
        "trl": st.sampled_from(["", "7", "TRL 3"]),
        "cost_from": st.sampled_from(["", "0,5", "350", "1.200", "1,2 tỷ"]),
        "stages": st.sampled_from(["", "chế biến", "bao quan; lạ lùng"]),
        "valid_until": st.sampled_from(["", "2027-01-31", "31/01/2027"]),
        "restricted": st.sampled_from(["", "Liên hệ: theo NDA", "công khai"]),
        "keywords": st.lists(PLAIN, max_size=3).map(";".join),
        "Ghi chú": PLAIN,
    }
)
ANYTHING = st.fixed_dictionaries(
    dict.fromkeys((*TITLES, "Ghi chú"), WORDS)
    | {"trl": st.sampled_from(["7", "12", "x", ""]), "id": st.sampled_from(["", "T1", "T2", "T3"])}
)
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def written(rows: list[dict[str, str]], order: list[str]) -> list[list[str]]:
    return [[TITLES.get(name, name) for name in order], *([row[n] for n in order] for row in rows)]


def as_workbook(table: list[list[str]], path: Path) -> Path:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Công nghệ")
    for row in table:
        sheet.append([cell or None for cell in row])
    book.save(path)
    return path


@SLOW
@given(st.lists(ANYTHING, max_size=8), st.lists(ANYTHING, max_size=5))
def test_every_row_is_accounted_for(
    tmp_path: Path, first: list[dict[str, str]], second: list[dict[str, str]]
) -> None:
    order = [*TITLES, "Ghi chú"]
    paths = [put(tmp_path, as_csv(written(first, order)))]
    paths.append(put(tmp_path, as_csv(written(second, order), ";"), "b.csv"))
    loaded = read(paths)
    assert balanced(loaded)
    filled = [row for row in [*first, *second] if any(cell.strip() for cell in row.values())]
    assert sum(count.rows for count in loaded.counts) == len(filled)
    known = store(*loaded.records)
    again = read(paths, known)
    assert not again.records  # the same files twice change nothing
    assert len(again.rejected) == len(loaded.rejected)


@SLOW
@given(st.lists(GOOD, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_and_spelling_of_headings_do_not_matter(
    tmp_path: Path, rows: list[dict[str, str]], shuffler: random.Random
) -> None:
    numbered = [{"id": f"T{number}", **row} for number, row in enumerate(rows)]
    order = [*TITLES, "Ghi chú"]
    plain = read([put(tmp_path, as_csv(written(numbered, order)))])
    shuffler.shuffle(order)
    table = written(numbered, order)
    table[0] = [shuffler.choice(SPELLINGS)(h) if h != "Ghi chú" else h for h in table[0]]
    assert read([put(tmp_path, as_csv(table))]).records == plain.records
    assert len(plain.records) == len(rows)


SPELLINGS: list[Callable[[str], str]] = [
    str.upper,
    str.lower,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: f"  {text.replace(' ', '_')}:",
    squeeze,
]


@SLOW
@given(st.lists(GOOD, min_size=1, max_size=5))
def test_formats_give_equal_records(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    numbered = [{"id": f"T{number}", **row} for number, row in enumerate(rows)]
    table = written(numbered, [*TITLES, "Ghi chú"])
    lines = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    paths = [
        put(tmp_path, as_csv(table)),
        put(tmp_path, as_csv(table, ";").encode("utf-16"), "b.csv"),
        as_workbook(table, tmp_path / "c.xlsx"),
        put(tmp_path, "\n".join(json.dumps(line) for line in lines), "d.jsonl"),
    ]
    assert len({json.dumps([r.to_json() for r in facts(read([p]))]) for p in paths}) == 1
    stored = "\n".join(json.dumps(r.to_json()) for r in read(paths[:1]).records)
    again = read([put(tmp_path, stored, "technologies.jsonl")])  # our own export loads as it was
    assert again.records == read(paths[:1]).records


@SLOW
@given(st.lists(ANYTHING, min_size=1, max_size=5), st.sampled_from(["loi.xlsx", "loi.csv"]))
def test_rejected_rows_come_back_as_they_were(
    tmp_path: Path, rows: list[dict[str, str]], name: str
) -> None:
    lines = "\n".join(json.dumps({TITLES.get(k, k): v for k, v in row.items()}) for row in rows)
    first = read([put(tmp_path, lines, "technologies.jsonl")])
    faults = [r for r in first.rejected if "trùng mã" not in r.reason]
    again = read(write_rejected(faults, tmp_path / name)) if faults else first
    back = [r for r in again.rejected if "trùng mã" not in r.reason]
    assert [r.cells for r in back] == [blanks_apart(r.cells) for r in faults]


def blanks_apart(row: tuple[tuple[str, str | None], ...]) -> tuple[tuple[str, str | None], ...]:
    """Blank cells come back as none: nothing tells them apart in a file."""
    return tuple((heading, value if value and value.strip() else None) for heading, value in row)
