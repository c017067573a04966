import datetime as dt
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import openpyxl.writer.excel
import pytest
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY, lexical, matcher

from corpus.records import Need, Product, Technology
from matcher.answers import Answer, Choice, Match, ProductList
from matcher.explain import ADAPT, REFERENCE, SUITS, Explanation
from matcher.fit import Breach
from matcher.hits import Hit
from matcher.need import Query
from service import exports
from service.exports import GAPS, LIST, WATERMARK, match_lists

SHEETS = ["Theo nhu cầu", "Theo sản phẩm", "Chưa tìm thấy"]


def lists_of(asker):
    return [asker.for_product(each) for each in asker.products.values()]


def illustrative():
    return matcher([each.model_copy(update={"illustrative": True}) for each in TECHNOLOGIES])


def written(lists, folder, name="danh-sach.xlsx"):
    path = folder / name
    match_lists(lists, path, TODAY)
    return openpyxl.load_workbook(path)


def cells(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


# A list written by hand --------------------------------------------------------------------------


def match(technology, label=SUITS, breaches=()):
    hit = Hit(technology.id, 0, 0.9, {"words": 0.9}, None, 0.9)
    return Match(technology, hit, Explanation(label, f"Vì {technology.id}.", breaches))


FULL, BARE, DEAR, ASIDE = (
    Technology(
        id="CN-1",
        name="Sấy vải",
        trl=8,
        owner="Viện A",
        province="Hà Nội",
        cost_from=1500,
        contact="0900 000 000",
        valid_until=dt.date(2027, 12, 31),
    ),
    Technology(id="CN-2", name="Lò sấy"),
    Technology(id="CN-3", name="Lò đắt", cost_from=900),
    Technology(id="CN-4", name="Chỉ để tham khảo"),
)
NEED, UNMET = Need(id="N-1", product="SP", text="Sấy khô"), Need(id="N-2", product="SP", text="Bay")
OVER = (Breach("budget", "vượt 200 triệu"),)


def by_hand(product=None, name="Vải"):
    served = Answer(
        Query("Sấy khô"),
        (match(FULL), match(BARE, ADAPT), match(ASIDE, REFERENCE)),
        (match(DEAR, SUITS, OVER),),
    )
    unmet = Answer(Query("Bay"), (match(ASIDE, REFERENCE),))
    return ProductList(
        product or Product(id="SP", name=name),
        (Choice(match(FULL), (NEED,)),),
        {"N-1": served, "N-2": unmet},
        (UNMET,),
    )


def test_every_need_has_its_matches_then_what_breaks_a_rule_and_no_references(tmp_path):
    book = written([by_hand()], tmp_path)
    assert book.sheetnames == SHEETS
    top, heading, *rows = cells(book["Theo nhu cầu"])
    assert top[0] == "Danh sách kết nối cung – cầu công nghệ, lập ngày 23/11/2026"
    assert heading == [title for title, _ in LIST]
    stated = ["CN-1", "Sấy vải", "Vì CN-1.", "từ 1.500 triệu đồng", "8", "Viện A", "Hà Nội"]
    unknown = ["CN-2", "Lò sấy", "Vì CN-2.", *["chưa rõ"] * 4]
    dear = ["CN-3", "Lò đắt", "Vì CN-3.", "từ 900 triệu đồng", *["chưa rõ"] * 3]
    need = ["Vải", "N-1: Sấy khô"]
    fine = "đạt hoặc chưa rõ"
    assert rows == [
        [*need, "1", SUITS, *stated, "0900 000 000", "31/12/2027", fine, None],
        [*need, "2", ADAPT, *unknown, "chưa rõ", "chưa rõ", fine, None],
        [*need, "ngoài danh sách", SUITS, *dear, "chưa rõ", "chưa rõ", "vượt 200 triệu", None],
    ]


def test_every_product_has_the_list_that_covers_its_needs(tmp_path):
    _, _, *rows = cells(written([by_hand()], tmp_path)["Theo sản phẩm"])
    assert [row[:5] for row in rows] == [["Vải", "N-1: Sấy khô", "1", SUITS, "CN-1"]]


def test_needs_without_an_answer_stand_with_their_nearest_record(tmp_path):
    _, heading, *rows = cells(written([by_hand()], tmp_path)["Chưa tìm thấy"])
    assert heading == [title for title, _ in GAPS]
    assert rows == [["Vải", "N-2", "Bay", "CN-4: Chỉ để tham khảo"]]


def test_a_need_that_nothing_is_near_to_says_unknown(tmp_path):
    empty = replace(
        by_hand(), answers={"N-1": Answer(Query("x"), ()), "N-2": Answer(Query("y"), ())}
    )
    _, _, *rows = cells(written([empty], tmp_path)["Chưa tìm thấy"])
    assert rows == [["Vải", "N-2", "Bay", "chưa rõ"]]


def test_the_number_of_lines_is_that_of_the_first_sheet(tmp_path):
    assert match_lists([by_hand(), by_hand()], tmp_path / "x.xlsx", TODAY) == 2 * 3


def test_no_lists_give_a_file_with_headings_only(tmp_path):
    book = written([], tmp_path)
    assert [len(cells(book[name])) for name in SHEETS] == [2, 2, 2]


def test_headings_stay_in_sight_and_filters_cover_the_rows(tmp_path):
    sheet = written([by_hand()], tmp_path)["Theo nhu cầu"]
    assert sheet.freeze_panes == "A3"
    assert sheet.auto_filter.ref == "A2:O5"  # fifteen columns, heading and three rows
    assert sheet.page_setup.orientation == "landscape"


# The same lists, the same bytes ------------------------------------------------------------------


class LaterClock(dt.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2031, 5, 6, 7, 8, 9, tzinfo=tz)


def test_the_same_lists_give_the_same_bytes_on_another_day(tmp_path, monkeypatch):
    one, other = tmp_path / "một.xlsx", tmp_path / "hai.xlsx"
    match_lists(lists_of(lexical()), one, TODAY)
    monkeypatch.setattr(openpyxl.writer.excel.datetime, "datetime", LaterClock)
    match_lists(lists_of(matcher()), other, TODAY)
    assert one.read_bytes() == other.read_bytes()


def test_the_file_names_no_clock_and_no_user(tmp_path):
    written([by_hand()], tmp_path)
    with zipfile.ZipFile(tmp_path / "danh-sach.xlsx") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2026-11-23T00:00:00Z") == 2  # made and changed: the day asked for
    assert ">Cung Cầu</dc:creator>" in core  # lxml, where it is installed, names the space here


def test_another_day_is_another_file(tmp_path):
    for name, day in (("a", TODAY), ("b", TODAY + dt.timedelta(days=1))):
        match_lists([by_hand()], tmp_path / name, day)
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


# Watermark ---------------------------------------------------------------------------------------


def marks(book):
    """For each sheet: whether header, footer and second line carry the watermark."""
    return [
        [
            text == WATERMARK
            for text in (
                sheet.oddHeader.center.text,
                sheet.oddFooter.center.text,
                sheet["A2"].value,
            )
        ]
        for sheet in book
    ]


def test_illustrative_records_are_watermarked_on_every_sheet(tmp_path):
    book = written(lists_of(illustrative()), tmp_path)
    assert marks(book) == [[True, True, True]] * 3


def test_every_line_of_an_illustrative_record_says_so(tmp_path):
    book = written(lists_of(illustrative()), tmp_path)
    lines = [row for name in SHEETS[:2] for row in cells(book[name])[3:]]
    assert lines
    assert {row[14] for row in lines} == {"dữ liệu minh họa"}


def test_one_illustrative_record_anywhere_is_enough(tmp_path):
    shown = by_hand()
    hidden = match(ASIDE.model_copy(update={"illustrative": True}), REFERENCE, OVER)
    answer = replace(shown.answers["N-1"], set_apart=(hidden,))
    marked = replace(shown, answers={**shown.answers, "N-1": answer})
    assert marks(written([marked], tmp_path)) == [[True, True, True]] * 3


def test_an_illustrative_product_is_enough(tmp_path):
    product = Product(id="SP", name="Vải", illustrative=True)
    assert marks(written([by_hand(product)], tmp_path)) == [[True, True, True]] * 3


def test_an_illustrative_need_is_enough(tmp_path):
    shown = by_hand()
    marked = replace(shown, uncovered=(UNMET.model_copy(update={"illustrative": True}),))
    assert marks(written([marked], tmp_path)) == [[True, True, True]] * 3


def test_real_records_carry_no_watermark(tmp_path):
    book = written(lists_of(lexical()), tmp_path)
    assert marks(book) == [[False, False, False]] * 3
    with zipfile.ZipFile(tmp_path / "danh-sach.xlsx") as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist())
    assert "MINH HỌA".encode() not in inside


# Cells that are not formulas ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("x")', "+1+1", "-2", "@SUM(A1)", "=", "'=1", "#REF!", "TRUE", "12", "1/2"]
)
def test_what_looks_like_a_formula_stays_text(tmp_path, text):
    book = written([by_hand(name=text)], tmp_path)
    for name in SHEETS:
        cell = book[name].cell(3, 1)
        assert (cell.value, cell.data_type) == (text, "s")
    if text[0] in "=+-@":
        assert book[SHEETS[0]].cell(3, 1).quotePrefix  # Excel keeps it text when it is edited


def test_a_text_longer_than_a_cell_holds_does_not_stop_the_export(tmp_path):
    book = written([by_hand(name="x" * 100_000)], tmp_path)
    assert len(book[SHEETS[0]].cell(3, 1).value) == 32_767


# Whole or not at all -----------------------------------------------------------------------------


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "danh-sach.xlsx"
    match_lists([by_hand()], path, TODAY)
    before = path.read_bytes()

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        match_lists([by_hand(), by_hand()], path, TODAY)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "danh-sach.xlsx"
    path.write_bytes(b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(exports.os, "fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        match_lists([by_hand()], path, TODAY)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_folder_is_made_and_the_file_can_be_read_by_others(tmp_path):
    path = tmp_path / "mới" / "danh-sach.xlsx"
    match_lists([by_hand()], path, TODAY)
    assert path.stat().st_mode & 0o777 == 0o644


# The collection ----------------------------------------------------------------------------------


def test_every_need_of_the_collection_is_listed_or_a_gap(tmp_path):
    book = written(lists_of(lexical()), tmp_path)
    listed = {
        row[1].split(":")[0] for row in cells(book[SHEETS[0]])[2:] if row[2] != "ngoài danh sách"
    }
    gaps = {row[1] for row in cells(book[SHEETS[2]])[2:]}
    assert listed | gaps == {need.id for need in NEEDS}
    assert listed & gaps == set()
    products = {row[0] for name in SHEETS for row in cells(book[name])[2:]}
    assert products == {product.name for product in PRODUCTS}
