"""A year from end to end on the rural collection, with An Giang's money: load, match, plan, tables.

The collection is no part of the project; without it the test is skipped and says so.
"""

from __future__ import annotations

import csv
import datetime as dt
from io import BytesIO
from pathlib import Path

import docx
import pytest
from openpyxl import load_workbook

from corpus.tasks import TaskKind
from matcher.planning.candidates import Dimension
from matcher.planning.drafts import DRAFT, Norm
from matcher.yearly import Run
from service import loading, yearly
from service.plan_docx import annex, funding
from service.plan_sheets import plan_workbook
from service.planning import YearPlan, year_plan
from service.rules_file import RulesFile
from service.workspace import Workspace

HOMES = (each / "shared" / "eval" / "rural" for each in Path(__file__).resolve().parents)
RURAL = next((each for each in HOMES if each.is_dir()), None)
AS_OF = dt.date(2026, 11, 23)
HEADINGS = (
    "Mã phiếu", "Tên nhiệm vụ", "Loại nhiệm vụ", "Đơn vị đề xuất", "Đơn vị chủ trì", "Tỉnh",
    "Nhu cầu liên quan", "Công nghệ liên quan", "Nhóm ưu tiên", "NSNN từng năm (triệu đồng)",
    "Chuyển tiếp", "Dữ liệu minh họa",
)  # fmt: skip
CARRIED, NEW = 9, 20
pytestmark = pytest.mark.skipif(RURAL is None, reason="no shared/eval/rural beside the project")


def proposals(run: Run, path: Path) -> Path:
    """Write nine tasks that go on, at a billion each, and twenty new ones for what is answered."""
    best = [next((each for each in pairs if each.good), None) for pairs in run.pairs.values()]
    good = [each for each in best if each is not None][: CARRIED + NEW]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADINGS)
        for number, each in enumerate(good):
            old, lead = number < CARRIED, f"Đơn vị {number} (minh họa)"
            money = "2027: 1000" if old else f"2027: {500 + 40 * number}; 2028: 300"
            kind = (TaskKind.APPLY, TaskKind.TRIAL)[number % 2]
            rows.writerow(
                [f"DX-{number:02}", f"Việc {number}", kind, lead, lead, "An Giang", each.need,
                 each.technology, f"({'i' * (number % 3 + 1)}) nhóm", money,
                 "có" if old else "không", "có"]
            )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> YearPlan:
    assert RURAL is not None
    home = tmp_path_factory.mktemp("rural")
    space = Workspace(home / "data")
    files = [RURAL / name for name in ("technologies.csv", "products.csv", "needs.csv")]
    loading.load(files, space.folder, space.lexicon())
    space.build(None)
    run, _ = yearly.run(space, home / "run", AS_OF, encoder="none")
    loading.load([proposals(run, home / "phieu.csv")], space.folder, space.lexicon())
    return year_plan(space, run, 24_000, 2027, RulesFile(norm=Norm(700, 300)))


def test_carry_over_comes_first_and_the_money_is_spent_and_not_more(told: YearPlan) -> None:
    funded = [each.candidate for each in told.chosen.funded]
    assert [each.carried_over for each in funded[:CARRIED]] == [True] * CARRIED
    assert sum(each.state[2027] for each in funded[:CARRIED]) == 9_000
    assert 23_000 < sum(each.state.get(2027, 0) for each in funded) <= 24_000


def test_what_nobody_proposed_is_counted_under_a_kind_or_says_why_not(told: YearPlan) -> None:
    drafted = {each.proposal.id: each for each in told.drafts}
    lines = [each.candidate for each in (*told.chosen.funded, *told.chosen.reserve)]
    lines = [each for each in lines if each.id.startswith(DRAFT)]
    assert {each.id for each in lines} == set(drafted)
    without = [each.id for each in lines if Dimension.KIND not in each.counted]
    assert len(without) < len(lines) / 4
    assert all("TRL" in drafted[key].kind.evidence for key in without)


def test_its_tables_say_the_same_sum(told: YearPlan) -> None:
    money = sum(line.candidate.state.get(2027, 0) for line in told.chosen.funded)
    last = docx.Document(BytesIO(funding(told))).tables[0].rows[-1].cells
    assert last[3].text.replace(".", "") == f"{money:.0f}"
    rows = docx.Document(BytesIO(annex(told))).tables[0].rows
    assert len(rows) == 1 + 2 + len(told.chosen.funded)  # headings, carry-over and new
    drafted = sum("(máy soạn, chưa có phiếu đề xuất)" in row.cells[2].text for row in rows)
    assert drafted == sum(each.startswith(DRAFT) for each in told.chosen.ids)
    book = load_workbook(BytesIO(plan_workbook(told, AS_OF)))
    assert book["Máy soạn"].max_row == 3 + len(told.drafts)  # title, mark, headings
