"""corpus.tasks and corpus.years: proposals and funded tasks, from tables as they are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from corpus.cells import CellError, parse_carried, parse_count, parse_yearly
from corpus.readers import Loaded, read
from corpus.tables import Row, Table
from corpus.tasks import Progress, Proposal, Task, TaskKind
from corpus.years import gather

SAMPLE = Path(__file__).resolve().parent.parent / "corpus" / "sample"
PRODUCTS = "Mã,Tên sản phẩm\nSP-1,Dừa\n"
NEEDS = "Mã,Mã sản phẩm,Nhu cầu\nNC-1,SP-1,Trị sâu đầu đen\n"


def load(folder: Path, **files: str) -> Loaded:
    paths = []
    for name, text in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text(text, "utf-8")
    return read(paths)


def proposals(folder: Path, headings: str, *rows: str) -> Loaded:
    table = "\n".join([f"Mã phiếu,Tên nhiệm vụ,Đơn vị đề xuất,{headings}", *rows])
    return load(folder, products=PRODUCTS, needs=NEEDS, phieu=table)


def first(loaded: Loaded, kind: type[Proposal] | type[Task]) -> Proposal | Task:
    return next(each for each in loaded.records if isinstance(each, kind))


def test_money_of_a_proposal_year_by_year(tmp_path: Path) -> None:
    row = 'DX-1,Trị sâu,HTX A,"2027: 350; 2028: 1,2 tỷ",2027: 100'
    loaded = proposals(tmp_path, "NSNN từng năm (triệu đồng),Đối ứng từng năm (triệu đồng)", row)
    found = first(loaded, Proposal)
    assert (found.state_yearly, found.own_yearly) == ({2027: 350.0, 2028: 1200.0}, {2027: 100.0})
    assert (found.state_money, found.own_money) == (350 + 1200, 100)


def test_columns_of_single_years_become_one_fact(tmp_path: Path) -> None:
    row = "DX-1,Trị sâu,HTX A,0.35,,60"
    loaded = proposals(tmp_path, "NSNN 2027 (tỷ đồng),NSNN năm 2028 (tỷ đồng),Đối ứng 2027", row)
    found = first(loaded, Proposal)
    assert (found.state_yearly, found.own_yearly) == ({2027: 350.0}, {2027: 60.0})
    assert found.extra == {}


def test_other_headings_with_a_year_stay_as_they_are() -> None:
    table = Table("a.csv", None, ("Mã", "Kế hoạch 2027", "Giá 2027"), (Row(2, ("1", "x", "y")),))
    assert gather(table) is table


def test_a_row_longer_than_its_headings_is_still_refused(tmp_path: Path) -> None:
    loaded = proposals(tmp_path, "NSNN 2027", "DX-1,Trị sâu,HTX A,350,thừa")
    assert "nhiều hơn" in loaded.rejected[0].reason


def test_money_that_is_not_stated_is_not_zero() -> None:
    found = Proposal(id="DX-1", name="Trị sâu")
    assert (found.state_money, found.own_money) == (None, None)
    assert Proposal(id="DX-1", name="Trị sâu", own_yearly={2027: 0}).own_money == 0


def test_a_total_that_its_years_contradict_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"các năm cộng lại là 350, khác tổng ghi 400"):
        Proposal(id="DX-1", name="A", state_total=400, state_yearly={2027: 350})
    assert Proposal(id="DX-1", name="A", state_total=350.4, state_yearly={2027: 350})  # rounding


@pytest.mark.parametrize("text", ["350", "2027", "2027: 1; 2027: 2", "2027: -1", "27: 350"])
def test_money_without_its_year_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        parse_yearly(text)


@pytest.mark.parametrize(
    ("text", "value"), [("25", 25), ("1.200", 1200), ("25 người", 25), ("0", 0)]
)
def test_counts(text: str, value: int) -> None:
    assert parse_count(text).value == value


@pytest.mark.parametrize("text", ["hai", "1,5", "-3", "25 30"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "value"), [("Chuyển tiếp", True), ("nhiệm vụ mở mới", False), ("x", True)]
)
def test_carried_over_or_new(text: str, value: bool) -> None:
    assert parse_carried(text).value is value


def test_kind_is_read_in_any_of_its_ways_and_an_unknown_one_refused(tmp_path: Path) -> None:
    rows = ("DX-1,A,HTX A,SXTN", "DX-2,B,HTX A,ứng dụng", "DX-3,C,HTX A,nghiên cứu cơ bản")
    loaded = proposals(tmp_path, "Loại nhiệm vụ", *rows)
    kinds = [each.kind for each in loaded.records if isinstance(each, Proposal)]
    assert kinds == [TaskKind.TRIAL, TaskKind.APPLY]
    assert "các giá trị dùng được" in loaded.rejected[0].reason


def test_what_a_proposal_names_that_is_not_there_is_set_apart(tmp_path: Path) -> None:
    loaded = proposals(tmp_path, "Nhu cầu liên quan", "DX-1,Trị sâu,HTX A,nc-1; NC-9")
    found = first(loaded, Proposal)
    assert isinstance(found, Proposal)
    assert found.needs == ("NC-1",)
    assert found.extra == {"Nhu cầu liên quan": "NC-9"}
    assert [note.text for note in loaded.notices if 'không có nhu cầu "NC-9"' in note.text]


def test_a_list_of_tasks_is_told_from_a_list_of_results(tmp_path: Path) -> None:
    common = "Mã,Tên nhiệm vụ,Tổ chức chủ trì,Tỉnh"
    loaded = load(
        tmp_path,
        a=f"{common},Tình trạng thực hiện,Số mô hình\nNV-1,Sấy xoài,Viện A,An Giang,hoàn thành,2\n",
        b=f"{common},Tóm tắt\nKQ-1,Sấy xoài,Viện A,An Giang,Sấy dẻo\n",
    )
    assert [count.kind for count in loaded.counts] == ["task", "technology"]
    task = first(loaded, Task)
    assert isinstance(task, Task)
    assert (task.progress, task.models) == (Progress.FINISHED, 2)


def test_years_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"năm bắt đầu \(2028\) sau năm kết thúc \(2027\)"):
        Task(id="NV-1", name="A", start=2028, end=2027)


def test_the_sample_has_the_year_of_an_giang() -> None:
    loaded = read([SAMPLE / name for name in ("proposals.csv", "tasks.csv")])
    assert not loaded.rejected
    asked = [each for each in loaded.records if isinstance(each, Proposal)]
    here = [each for each in asked if each.province == "An Giang"]
    carried = sum(each.state_yearly.get(2027, 0) for each in here if each.carried_over)
    assert (len(asked), len(here), carried) == (46, 41, 9_000)
    assert len([each for each in loaded.records if isinstance(each, Task)]) == 40
    assert all(each.illustrative for each in loaded.records)
