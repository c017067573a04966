"""The list to fund, from outside: the year of An Giang, rules as a workbook, tables that add up."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import docx
import pytest
from openpyxl import Workbook, load_workbook

from corpus.places import Places
from corpus.priority import Membership, PriorityGroup, PriorityList, Standing
from corpus.tasks import Proposal, TaskKind
from matcher.planning.candidates import Dimension
from matcher.planning.checks import check
from matcher.planning.criteria import Criterion
from matcher.planning.lines import entries
from matcher.planning.rules import Ceiling, Measure, RuleError
from matcher.yearly import Run
from service import loading
from service.cli import main
from service.exports import WATERMARK
from service.plan_docx import annex, funding
from service.plan_files import write
from service.plan_report import report
from service.plan_sheets import plan_workbook
from service.planning import YearPlan, year_plan
from service.rules_file import DEFAULT, read_rules, template
from service.workspace import Workspace

AS_OF = dt.date(2026, 11, 23)
BUDGET = 24_000.0
PLACES = Places.load()


@pytest.fixture(scope="module")
def made(matched_sample: tuple[Workspace, Run]) -> tuple[Workspace, Run]:
    """The sample by its words, matched."""
    return matched_sample


@pytest.fixture(scope="module")
def an_giang(made: tuple[Workspace, Run]) -> YearPlan:
    return year_plan(*made, BUDGET, 2027, province="An Giang")


def book(folder: Path, **sheets: list[list[object]]) -> Path:
    found = Workbook()
    found.remove(found.worksheets[0])
    for name, rows in sheets.items():
        sheet = found.create_sheet(NAMES.get(name, name))
        for row in rows:
            sheet.append(row)
    found.save(folder / "luat.xlsx")
    return folder / "luat.xlsx"


NAMES = {"pins": "Ghim, loại", "quotas": "Hạn mức", "people": "Chấm điểm", "money": "Ngân sách"}
PINS = ["Mã", "Ghim hay loại", "Lý do", "Người quyết định"]
QUOTAS = ["Tính theo", "Giá trị", "Đo bằng", "Ít nhất", "Nhiều nhất", "Năm"]
PEOPLE = ["Mã", "Tiêu chí", "Điểm (0–1)", "Người chấm", "Lý do"]


# The story --------------------------------------------------------------------------------------


def test_an_giang_plans_2027(an_giang: YearPlan) -> None:
    chosen = an_giang.chosen
    money = sum(line.candidate.state.get(2027, 0) for line in chosen.funded)
    carried = [line for line in chosen.funded if line.candidate.carried_over]
    assert len(an_giang.entries) == 41
    assert sum(line.candidate.state[2027] for line in carried) == 9_000
    assert [line.candidate.carried_over for line in chosen.funded[:6]] == [True] * 6
    assert 0.95 * BUDGET < money <= BUDGET
    assert chosen.gap == pytest.approx(0, abs=1e-9)
    assert chosen.reserve
    kinds = {value for line in chosen.funded for value in line.candidate.counted[Dimension.KIND]}
    assert kinds == {str(kind) for kind in TaskKind}


def test_what_former_kien_giang_funded_is_flagged_with_the_pair(an_giang: YearPlan) -> None:
    found = an_giang.by_id["DX-007"].checked.earlier
    assert [(each.task.id, each.task.province) for each in found] == [
        ("NV-001", "An Giang (Kiên Giang cũ)")
    ]
    assert any("dứa" in reason for reason in found[0].same)
    refused = {each.candidate.id: each.reason for each in an_giang.chosen.refused}
    assert refused["DX-007"].startswith("trùng với nhiệm vụ NV-001 (đã nghiệm thu)")
    # what goes on from an earlier task, and says so, is no repetition
    assert an_giang.by_id["DX-001"].checked.earlier == ()
    assert "DX-007" in an_giang.by_id


def test_a_missing_cost_is_not_zero_and_not_a_failure(an_giang: YearPlan) -> None:
    entry = an_giang.by_id["DX-034"]
    assert (entry.candidate, entry.lacking) == (None, "chưa rõ kinh phí NSNN")
    assert {"kinh phí NSNN", "kinh phí đối ứng", "địa chỉ ứng dụng"} <= {*entry.checked.missing}
    place = next(mark for mark in entry.marks if mark.criterion is Criterion.PLACE)
    assert (place.value, place.evidence, place.counted) == (None, "chưa rõ", 0.5)


def test_the_director_pins_one_line_and_the_displaced_one_is_named(
    made: tuple[Workspace, Run], an_giang: YearPlan, tmp_path: Path
) -> None:
    waits = an_giang.chosen.reserve[0].candidate.id
    path = book(tmp_path, pins=[PINS, [waits, "Ghim", "cam kết của tỉnh", "Giám đốc Sở"]])
    told = year_plan(*made, BUDGET, 2027, read_rules(path), "An Giang")
    assert waits in told.chosen.ids
    assert told.displaced is not None
    assert told.displaced.added[0] == waits
    assert told.displaced.dropped
    assert not {*told.displaced.dropped} & told.chosen.ids


def test_a_pin_lets_in_what_was_refused_and_its_tables_are_written(
    made: tuple[Workspace, Run], tmp_path: Path
) -> None:
    path = book(tmp_path, pins=[PINS, ["DX-007", "Ghim", "mở rộng sang xã khác", "Giám đốc Sở"]])
    told = year_plan(*made, BUDGET, 2027, read_rules(path), "An Giang")
    assert "DX-007" in told.chosen.ids
    assert any("dù trùng với nhiệm vụ NV-001" in text for text in told.chosen.notices)
    assert told.stability is not None
    assert told.stability.scores["DX-007"] == 1
    assert all(path.stat().st_size for path in write(told, tmp_path / "ra", PLACES))


def test_more_money_brings_in_nothing_that_a_ceiling_refuses(made: tuple[Workspace, Run]) -> None:
    said = replace(DEFAULT, ceilings=(Ceiling(most=700),))
    told = year_plan(*made, BUDGET, 2027, said, "An Giang")
    refused = {each.candidate.id for each in told.chosen.refused}
    assert "DX-022" in refused
    assert not refused & {key for step in told.steps for key in (*step.added, *step.dropped)}


def test_a_price_taken_for_a_cost_is_refused(made: tuple[Workspace, Run]) -> None:
    space, run = made
    price = run.technologies["CN-315"].cost_from
    assert price is not None
    asked = Proposal(
        id="DX-900", name="Mua công nghệ", technologies=("CN-315",), state_yearly={2027: price}
    )
    found = entries(check([asked], run, [], space.lexicon(), space.places()), run, space.places())
    assert "giá chào không phải dự toán" in found[0].unfit
    dearer = asked.model_copy(update={"state_yearly": {2027: price + 40}})
    assert not entries(
        check([dearer], run, [], space.lexicon(), space.places()), run, space.places()
    )[0].unfit


def test_a_proposal_without_a_group_takes_that_of_its_technology(
    made: tuple[Workspace, Run],
) -> None:
    space, run = made
    name = run.technologies["CN-315"].name
    listed = PriorityList(
        id="DM-1", name="Danh mục", date=run.as_of, standing=Standing.ISSUED, decision="1/QĐ",
        groups=(PriorityGroup(key="(ii)", name="Nhóm hai", words=(name,)),),
    )  # fmt: skip
    asked = Proposal(id="DX-900", name="Mới", technologies=("CN-000", "CN-315"))
    stated = asked.model_copy(update={"id": "DX-901", "priority_group": "(i) Nhóm một"})
    other = asked.model_copy(update={"id": "DX-902", "technologies": ("CN-000",)})
    checked = check([asked, stated, other], run, [], space.lexicon(), space.places())

    def groups(priorities: Membership | None) -> list[tuple[float | None, str]]:
        found = entries(checked, run, space.places(), priorities=priorities)
        marks = [mark for each in found for mark in each.marks if mark.criterion is Criterion.GROUP]
        return [(mark.value, mark.evidence) for mark in marks]

    unknown = (None, "chưa rõ")
    assert groups(None) == [unknown, (1.0, "(i) Nhóm một"), unknown]
    day = f"{run.as_of:%d/%m/%Y}"
    told = f"CN-315 thuộc nhóm (ii) Nhóm hai, Danh mục (Quyết định 1/QĐ, {day})"
    assert groups(Membership(listed, space.lexicon())) == [
        (1.0, f"theo danh mục ưu tiên: {told}"), (1.0, "(i) Nhóm một"), unknown,
    ]  # fmt: skip


# Files ------------------------------------------------------------------------------------------


def test_the_workbook_adds_up_and_is_watermarked(an_giang: YearPlan, tmp_path: Path) -> None:
    paths = write(an_giang, tmp_path / "a", PLACES)
    sheet = load_workbook(paths[0])["Danh mục"]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    heading = next(row for row in rows if row[0] == "Stt")
    assert rows[1][0] == WATERMARK
    first = heading.index("NSNN 2027")
    lines = [row for row in rows if str(row[0] or "").isdigit()]
    assert [int(row[0]) for row in lines] == list(range(1, len(an_giang.chosen.funded) + 1))
    assert sum(row[first] for row in lines) == sum(
        line.candidate.state.get(2027, 0) for line in an_giang.chosen.funded
    )
    assert rows[-1][2] == "TỔNG CỘNG"
    letter = sheet.cell(1, first + 1).column_letter
    assert rows[-1][first] == f"=SUBTOTAL(9,{letter}4:{letter}{len(rows) - 1})"
    again = write(an_giang, tmp_path / "b", PLACES)
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_counterpart_money_that_nobody_stated_is_unknown_in_the_reserve(
    an_giang: YearPlan,
) -> None:
    name, chosen = next(iter(an_giang.plans.items()))
    first = chosen.reserve[0]
    bare = replace(first, candidate=replace(first.candidate, own={}))
    told = replace(an_giang, plans={name: replace(chosen, reserve=(bare,))})
    sheet = load_workbook(BytesIO(plan_workbook(told, AS_OF)))["Dự phòng"]
    row = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "1")
    assert row[3:5] == (first.candidate.state_total, "chưa rõ")


def test_the_annexes_have_the_columns_of_the_form_and_add_up(an_giang: YearPlan) -> None:
    table = docx.Document(BytesIO(annex(an_giang))).tables[0]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == [
        "Stt", "Nhóm nhiệm vụ", "Nội dung thực hiện", "Sản phẩm/Kết quả dự kiến",
        "Cơ quan chủ trì", "Cơ quan phối hợp", "Thời gian thực hiện",
    ]  # fmt: skip
    assert [row[2] for row in rows if not row[0]] == [
        "A. Nhiệm vụ chuyển tiếp", "B. Nhiệm vụ mở mới",
    ]  # fmt: skip
    paper = docx.Document(BytesIO(funding(an_giang)))
    assert any(WATERMARK in each.text for each in paper.paragraphs)
    last = [cell.text for cell in paper.tables[0].rows[-1].cells]
    money = sum(line.candidate.state.get(2027, 0) for line in an_giang.chosen.funded)
    assert last[1] == "Tổng cộng"
    assert last[3].replace(".", "") == f"{money:.0f}"


def test_the_report_stands_alone_and_says_what_the_list_says(an_giang: YearPlan) -> None:
    page = report(an_giang, PLACES).decode()
    assert WATERMARK in page
    assert "<script" not in page
    assert "http" not in page
    assert all(f">{line.candidate.id}<" in page for line in an_giang.chosen.funded)
    assert "trùng với nhiệm vụ NV-001" in page


def test_every_funded_line_leads_back_to_its_proposal(an_giang: YearPlan, tmp_path: Path) -> None:
    paths = write(an_giang, tmp_path, PLACES)
    trace = load_workbook(paths[0])["Truy vết"]
    found = {row[0]: row for row in trace.iter_rows(values_only=True)}
    assert found["DX-016"][2:5] == ("proposals.csv dòng 17", "N-155", "CN-362")
    assert {key for key, row in found.items() if row[1] == "có"} == an_giang.chosen.ids
    assert "bước" in str(found["DX-016"][5]) or "," in str(found["DX-016"][5])
    data = json.loads(paths[-1].read_text("utf-8"))
    assert data["made_from"]["data"] == an_giang.run.facts["made_from"]["data"]
    assert data["same_as_tasks"]["DX-007"][0]["task"] == "NV-001"


# Rules ------------------------------------------------------------------------------------------


def test_the_rules_written_are_the_rules_read(tmp_path: Path) -> None:
    path = tmp_path / "luat.xlsx"
    path.write_bytes(template(DEFAULT, {2027: BUDGET}, AS_OF))
    found = read_rules(path)
    assert found.budget == {2027: BUDGET}
    assert (found.each, found.scenarios, found.weights) == (
        DEFAULT.each, DEFAULT.scenarios, DEFAULT.weights,
    )  # fmt: skip


def test_rules_of_people_are_read(tmp_path: Path) -> None:
    path = book(
        tmp_path,
        quotas=[["Hạn mức của tỉnh"], QUOTAS,
                ["loại nhiệm vụ", "phát triển thị trường", "tỷ trọng NSNN (%)", 5, "10 %", 2027]],
        people=[PEOPLE, ["DX-001", "địa chỉ ứng dụng", "0,5", "Chi Lan", "chưa rõ mặt bằng"]],
    )  # fmt: skip
    found = read_rules(path)
    quota = found.quotas[0]
    assert (quota.dimension, quota.measure) == (Dimension.KIND, Measure.SHARE)
    assert (quota.least, quota.most, quota.year) == (5, 10, 2027)
    mark = found.people[0]
    assert (mark.id, mark.mark.value, mark.mark.by) == ("DX-001", 0.5, "Chi Lan")


@pytest.mark.parametrize(
    ("sheets", "told"),
    [
        ({"quotas": [QUOTAS, ["màu", "x", "số nhiệm vụ", 1]]},
         r"“Hạn mức”, dòng 2, cột “Tính theo”: “màu” không có; các giá trị dùng được: tất cả; "),
        ({"quotas": [QUOTAS, ["xã", "x", "số nhiệm vụ", 3, 2]]}, r"dòng 2: .*lớn hơn nhiều nhất"),
        ({"quotas": [QUOTAS, ["xã", "x", "số nhiệm vụ", "ba"]]}, r"cột “Ít nhất”: “ba” không đọc"),
        ({"pins": [PINS, ["DX-001", "Ghim", "", "A"]]}, r"dòng 2: thiếu cột “Lý do”"),
        ({"people": [PEOPLE, ["DX-001", "đáp ứng nhu cầu", 7, "A", "B"]]}, r"phải từ 0 đến 1"),
        ({"money": [["Năm", "NSNN (triệu đồng)"], ["27", 5]]}, r"“27” không phải một năm"),
        ({"Linh tinh": [["A"], ["b"]]}, r"trang “Linh tinh” không có trong mẫu"),
        ({"pins": [["Ai", "Gì"], ["x", "y"]]}, r"không thấy các cột Mã; Ghim hay loại"),
    ],
)  # fmt: skip
def test_a_fault_in_the_rules_is_told_with_its_place(
    sheets: dict[str, list[list[object]]], told: str, tmp_path: Path
) -> None:
    with pytest.raises(RuleError, match=told):
        read_rules(book(tmp_path, **sheets))


def test_people_s_marks_go_before_the_rule_s(made: tuple[Workspace, Run], tmp_path: Path) -> None:
    path = book(tmp_path, people=[PEOPLE, ["DX-016", "đáp ứng nhu cầu", 0, "Chi Lan", "bến hỏng"]])
    told = year_plan(*made, BUDGET, 2027, read_rules(path), "An Giang")
    entry = told.by_id["DX-016"]
    assert entry.score == 0
    assert next(m for m in entry.marks if m.criterion is Criterion.USEFULNESS).by == "Chi Lan"
    assert "DX-016" not in told.chosen.ids


# The command ------------------------------------------------------------------------------------


def run_command(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["cungcau", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_the_command(
    made: tuple[Workspace, Run],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space, run = made
    words = ["plan", "--run", run.folder, "--data", space.folder, "--province", "An Giang"]
    assert (
        run_command(monkeypatch, *words, "--budget", 24_000, "--out", tmp_path / "a", "--json") == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["year"] == 2027
    assert len(told["scenarios"]) == 3
    assert all(Path(each).is_file() for each in told["files"])
    # carry-over alone is more than this
    assert run_command(monkeypatch, *words, "--budget", 5_000, "--out", tmp_path / "b") == 2
    shown = capsys.readouterr()
    assert "Mâu thuẫn: NSNN năm 2027: nhiều nhất 5.000 triệu đồng" in shown.out
    assert "các luật không thể cùng giữ" in shown.err


def test_a_run_of_other_data_is_refused(
    made: tuple[Workspace, Run],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Workspace(tmp_path / "khac")
    loading.load(loading.sample_files()[:1], other.folder, other.lexicon())
    words = ["plan", "--run", made[1].folder, "--data", other.folder, "--budget", 1]
    assert run_command(monkeypatch, *words, "--out", tmp_path / "o") == 3
    assert "chạy `cungcau index` rồi `cungcau batch`" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
