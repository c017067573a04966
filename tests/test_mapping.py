"""A stranger's columns find their fields, are corrected, previewed and loaded in batches."""

import csv
import datetime as dt
import io
import os

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import NEEDS, PRODUCTS, TECHNOLOGIES, lexicon, places

from corpus.readers import Known, read
from corpus.records import KINDS, Need
from corpus.store import Store
from corpus.tables import Row, Table, read_tables
from service.importing import corrections, preview, start, write
from service.mapping import DROP, KEEP, Certainty, MappingError, Plan, apply, check, guess
from service.mapping import guess_columns as columns_of
from service.uploads import KEPT, LIMITS, MOST, UploadError, Uploads, clean_name

PROVINCES = places().province
FAIR = (  # a department's file: no ids, no headings of ours but one
    ("STT", "Cơ sở", "Vướng mắc cần giải quyết", "Tỉnh nào", "Vốn (nghìn đồng)", "ĐT", "Ghi nhận"),
    ("1", "Xưởng A", "Máy chạm hay gãy dao khi phá thô gỗ hương, đường cong bị răng cưa, hiếm thợ",
     "Bắc Ninh", "200.000", "0912 345 678", "15/04/2026"),
    ("2", "Xưởng B", "Bụi đá trắng cả mái nhà, thợ ho suốt ngày, cần cách tạc đá ít bụi, rẻ",
     "Đà Nẵng", "150.000", "0905 111 222", "19/09/2026"),
)  # fmt: skip


def table(lines, name="phieu.csv", sheet=None):
    headings, *rows = lines
    return Table(name, sheet, headings, tuple(Row(n, row) for n, row in enumerate(rows, 2)))


def told(made, kind):
    return {
        made.headings[each.column]: (each.field, each.certainty)
        for each in columns_of(made, kind, PROVINCES)
    }


# Guessing -----------------------------------------------------------------------------------------


def test_headings_tell_what_they_can_and_cells_the_rest():
    assert told(table(FAIR), "need") == {
        "STT": (DROP, Certainty.SURE),
        "Cơ sở": (KEEP, Certainty.NONE),
        "Vướng mắc cần giải quyết": ("text", Certainty.CONTENT),
        "Tỉnh nào": ("province", Certainty.CONTENT),
        "Vốn (nghìn đồng)": ("budget", Certainty.CONTENT),
        "ĐT": (KEEP, Certainty.NONE),
        "Ghi nhận": ("date", Certainty.CONTENT),
    }


def test_a_known_heading_is_sure_and_a_slip_or_a_longer_one_is_likely():
    made = table((("Mã công nghệ", "Tên công ngh", "Tên chủ sở hữu của máy", "Tên công nghệ"),))
    assert told(made, "technology") == {
        "Mã công nghệ": ("id", Certainty.SURE),
        "Tên công nghệ": ("name", Certainty.SURE),  # surer than the slip, though it comes later
        "Tên công ngh": (KEEP, Certainty.NONE),
        "Tên chủ sở hữu của máy": ("owner", Certainty.LIKELY),
    }


def test_our_own_headings_give_their_own_fields():
    for kind, record in (("technology", TECHNOLOGIES[0]), ("need", NEEDS[0])):
        left_out = {"extra", "certainty", "inferred"}
        names = [n for n in type(record).model_fields if n not in left_out]
        titles = tuple(type(record).model_fields[name].title for name in names)
        found = guess(table((titles,)))
        assert found == Plan(kind, dict(enumerate(names)))


def test_a_file_without_ids_gets_ids_made():
    found = guess(table(FAIR), PROVINCES)
    assert (found.kind, found.make_ids) == ("need", True)


def test_no_field_is_guessed_twice():
    made = table((("Giá", "Giá bán", "Giá từ", "Giá đến"), ("1", "2", "3", "4")))
    fields = [each.field for each in columns_of(made, "technology") if each.field != KEEP]
    assert sorted(fields) == sorted(set(fields)) == ["cost_from", "cost_to"]


@given(
    st.lists(st.text(max_size=30), max_size=8),
    st.lists(st.lists(st.text(max_size=20), max_size=9), max_size=4),
)
def test_any_table_gets_a_plan_with_every_column_once(headings, rows):
    made = Table(
        "x.csv", None, tuple(headings), tuple(Row(n, tuple(r)) for n, r in enumerate(rows))
    )
    found = guess(made, PROVINCES)
    assert set(found.fields) == set(range(len(headings)))
    mapped = [name for name in found.fields.values() if name not in {KEEP, DROP}]
    assert len(mapped) == len(set(mapped))


# Applying -----------------------------------------------------------------------------------------


def fair_plan(**more):
    fields = {0: DROP, 1: "asker", 2: "text", 3: "province", 4: "budget", 5: KEEP, 6: "date"}
    return Plan("need", fields, {"product": "SP-1"}, make_ids=True, **more)


def test_a_mapped_table_reads_as_our_own():
    made = apply(table(FAIR), fair_plan(), PRODUCTS)
    assert made.headings == (
        "Mã", "Đơn vị có nhu cầu", "Nhu cầu", "Tỉnh", "Kinh phí tối đa (nghìn đồng)", "ĐT", "Ngày",
        "Mã sản phẩm",
    )  # fmt: skip
    first, second = made.rows
    assert first.values[0].startswith("NC-") and first.values[0] != second.values[0]
    assert (first.number, first.values[-1]) == (2, "SP-1")


def test_made_ids_follow_from_what_a_row_says_not_from_where_it_stands():
    one = apply(table(FAIR), fair_plan()).rows
    other = apply(table((FAIR[0], FAIR[2], FAIR[1])), fair_plan()).rows
    assert {row.values[0] for row in one} == {row.values[0] for row in other}


def test_a_product_may_be_called_by_its_name_where_only_one_has_it():
    lines = (("Mã", "Sản phẩm", "Nhu cầu"), ("N", "vải thiều lục ngạn", "x"), ("M", "SP-2", "y"))
    made = apply(table(lines), Plan("need", {0: "id", 1: "product", 2: "text"}), PRODUCTS)
    assert [row.values[1] for row in made.rows] == ["SP-1", "SP-2"]


def test_a_column_that_is_kept_is_not_taken_for_a_field():
    made = apply(
        table((("Mã", "Tên", "Năm"), ("1", "a", "b"))),
        Plan("technology", {0: "id", 1: "name", 2: KEEP}),
    )
    assert made.headings == ("Mã", "Tên công nghệ", "Cột gốc: Năm")


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan("need", {0: "text", 1: "text"}), "hai cột"),
        (Plan("need", {0: "text"}, make_ids=True), "Mã sản phẩm"),
        (Plan("need", {0: "text", 1: "no_such"}), "no_such"),
        (Plan("judgment", {0: "need"}, make_ids=True), "Mã công nghệ"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_says_what_it_lacks(plan, said):
    with pytest.raises(MappingError, match=said):
        check(table(FAIR), plan)


# Preview and loading ------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path / "data") as opened:
        opened.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
        yield opened


def seen(store, *tables, nda=False):
    return preview(tables, store, lexicon(), nda)


def test_a_preview_tells_new_changed_unchanged_and_rejected_and_changes_nothing(store):
    before = store.state()
    same = NEEDS[0]
    lines = (
        ("Mã", "Mã sản phẩm", "Nhu cầu", "Kinh phí"),
        (same.id, same.product, same.text, "200"),
        ("N-2", "SP-1", "Giữ đỏ vỏ khi đi tàu biển", "900"),
        ("N-9", "SP-2", "Sấy dứa", "nhiều"),
        ("N-10", "SP-2", "Ép dứa", ""),
        ("N-11", "SP-9", "Ép dứa", ""),
    )
    plan = Plan("need", {0: "id", 1: "product", 2: "text", 3: "budget"})
    found = seen(store, (table(lines), plan))
    assert (found.new, found.changed, len(found.rejected)) == (1, 2, 2)  # N-1, N-2 lost priority
    assert [(each.row, each.column) for each in found.rejected] == [
        (4, "Kinh phí tối đa (triệu đồng)"),
        (6, "Mã sản phẩm"),
    ]
    second = next(each for each in found.changes if each.key == "N-2")
    assert ("Kinh phí tối đa (triệu đồng)", "200", "900") in second.fields
    (count,) = found.counts
    assert (count.rows, count.loaded, count.rejected) == (5, 3, 2)
    assert store.state() == before


def test_the_same_file_again_is_no_change(store):
    pair = (table(FAIR), fair_plan())
    load(store, seen(store, pair))
    again = seen(store, pair)
    assert (again.new, again.changed, again.unchanged, again.records) == (0, 0, 2, ())


def test_what_is_kept_beside_the_fields_is_there_afterwards(store):
    load(store, seen(store, (table(FAIR), fair_plan())))
    loaded = [each for each in store.all(Need) if each.asker == "Xưởng A"]
    assert [each.extra["ĐT"] for each in loaded] == ["0912 345 678"]
    assert loaded[0].budget == 200
    assert loaded[0].date == dt.date(2026, 4, 15)


def load(store, found):
    """Write what was seen, as one transaction; return the last that was told of it."""
    with store.writing("lan", "2026-11-25T08:00:00Z") as writing:
        *_, last = write(writing, found)
    return last


def test_a_load_that_stops_leaves_nothing_and_is_whole_when_repeated(store, monkeypatch):
    monkeypatch.setattr("service.importing.BATCH", 2)
    lines = (("Mã", "Mã sản phẩm", "Nhu cầu"), *((f"X-{n}", "SP-1", f"việc {n}") for n in range(5)))
    pair = (table(lines), Plan("need", {0: "id", 1: "product", 2: "text"}))
    with pytest.raises(KeyboardInterrupt), store.writing("lan") as writing:
        assert next(write(writing, seen(store, pair))).done == 2
        raise KeyboardInterrupt  # cut short here
    assert store.get(Need, "X-0") is None
    last = load(store, seen(store, pair))
    assert (last.state, last.done, last.added, last.unchanged) == ("loading", 5, 5, 0)
    assert {each.id for each in store.all(Need)} >= {f"X-{n}" for n in range(5)}


def test_progress_starts_with_what_needs_no_writing(store):
    ready = start(seen(store, (table(FAIR), fair_plan())))
    assert (ready.state, ready.total, ready.done) == ("loading", 2, 0)
    assert ready.nothing("failed", "đĩa đầy").message == "đĩa đầy"


# What is under NDA --------------------------------------------------------------------------------

HIDDEN = "Chủng vi khuẩn bí mật BX-77 khử nitrit."


def offer(detail):
    lines = (("Mã", "Tên công nghệ", "Mô tả chi tiết"), ("CN-8", "Ao nuôi tôm tuần hoàn", detail))
    return table(lines), Plan("technology", {0: "id", 1: "name", 2: "detail"})


@pytest.mark.parametrize("detail", ["đoán mò", HIDDEN])
def test_hidden_parts_are_neither_written_over_nor_guessed_by_a_file(store, detail):
    found = seen(store, offer(detail))
    assert (found.records, found.unchanged, found.changes) == ((), 0, ())
    (refused,) = found.rejected
    assert "NDA" in refused.reason and HIDDEN not in refused.reason
    assert [(each.loaded, each.rejected) for each in found.counts] == [(0, 1)]


def test_who_may_read_hidden_parts_may_write_them(store):
    found = seen(store, offer("khác"), nda=True)
    assert (found.changed, found.rejected) == (1, ())
    assert ("Mô tả chi tiết", HIDDEN, "khác") in found.changes[0].fields


# Uploads ------------------------------------------------------------------------------------------


def upload(uploads, data=b"M\xc3\xa3,T\xc3\xaan\n1,a\n", name="phiếu.csv", login="lan"):
    return uploads.keep(login, name, io.BytesIO(data))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("phiếu nhu cầu.CSV", "phiếu nhu cầu.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\lan\\a.xlsx", "a.xlsx"),
        ("..csv", "tep.csv"),
        ("a\x00b\n.tsv", "a b.tsv"),
        ("x" * 500 + ".csv", "x" * 120 + ".csv"),
    ],
)
def test_the_name_of_an_upload_names_no_path(name, kept):
    assert clean_name(name) == kept


@pytest.mark.parametrize("name", ["", "a", "a.exe", "a.csv.rar", "a.xlsb", "."])
def test_other_endings_are_refused(name):
    with pytest.raises(UploadError, match="chỉ nhận"):
        clean_name(name)


def test_an_upload_is_its_persons_own(tmp_path):
    uploads = Uploads(tmp_path)
    kept = upload(uploads)
    found = uploads.find("lan", kept.token)
    assert found == kept
    assert found.file.read_bytes().startswith(b"M")
    assert uploads.find("minh", kept.token) is None
    for token in ("", "..", "../" + kept.token, kept.token.upper() + "0", "0" * 32):
        assert uploads.find("lan", token) is None
    assert [each.token for each in uploads.of("lan")] == [kept.token]
    uploads.drop(kept)
    assert uploads.find("lan", kept.token) is None


def test_a_login_names_no_path(tmp_path):
    kept = upload(Uploads(tmp_path), login="../../lan")
    assert (tmp_path / "uploads") in kept.folder.parents


def test_uploads_go_after_a_day_and_beyond_a_number(tmp_path):
    uploads = Uploads(tmp_path)
    first = upload(uploads)
    os.utime(first.folder, (1, 1))
    uploads.purge()
    assert uploads.find("lan", first.token) is None
    kept = [upload(uploads) for _ in range(MOST + 2)]
    assert len(uploads.of("lan")) == MOST
    assert uploads.find("lan", kept[-1].token)
    uploads.purge(kept[-1].folder.stat().st_mtime + KEPT + 1)
    assert uploads.of("lan") == []


def test_a_file_that_is_too_large_leaves_nothing(tmp_path):
    uploads = Uploads(tmp_path)
    with pytest.raises(UploadError, match="20 MB"):
        uploads.keep("lan", "a.csv", Endless())
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


class Endless(io.RawIOBase):
    def read(self, size=-1):
        return b"x" * size


def test_cells_and_kinds_of_files_are_limited(tmp_path, monkeypatch):
    uploads = Uploads(tmp_path)
    with pytest.raises(UploadError, match="PDF"):
        upload(uploads, b"%PDF-1.7").read(lambda: None)
    monkeypatch.setattr("service.uploads.LIMITS", type(LIMITS)(cells=3))
    with pytest.raises(UploadError, match="quá 3 ô"):
        upload(uploads, b"a,b\n1,2\n3,4\n5,6\n").tables()
    book, out = openpyxl.Workbook(), io.BytesIO()
    for _ in range(4):
        book.active.append(["a", "b"])
    book.save(out)
    with pytest.raises(UploadError, match="quá 3 ô"):
        upload(uploads, out.getvalue(), "a.xlsx").tables()
    monkeypatch.setattr("service.uploads.LIMITS", type(LIMITS)(seconds=-1.0))
    with pytest.raises(UploadError, match="giây"):
        upload(uploads, out.getvalue(), "a.xlsx").tables()


# Rejected rows ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_rejected_rows_once_corrected_load_without_a_mapping(store, tmp_path, suffix):
    lines = [*FAIR, ("3", "=Xưởng C", "Cần máy mài ít bụi", "Đà Nẵng", "nhiều", "0900", "1/2/2026")]
    found = seen(store, (table(tuple(lines)), fair_plan()))
    assert len(found.rejected) == 1
    (path,) = corrections(found.rejected, tmp_path / "rejected", suffix)
    (written,) = read_tables(path)
    column = written.headings.index("Kinh phí tối đa (nghìn đồng)")
    row = written.rows[0]
    mended = (*row.values[:column], "90.000", *row.values[column + 1 :])
    target = tmp_path / "sua.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([written.headings, mended])
    loaded = read([target], _known(store))
    assert [each.message for each in loaded.rejected] == []
    (need,) = loaded.records
    assert (need.asker, need.budget) == ("=Xưởng C", 90)


def _known(store):
    return Known(**{kind: store.hashes(kind) for kind in KINDS if hasattr(Known(), kind)})
