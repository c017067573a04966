"""matcher.planning: the best list under its rules, proven and explained, or why there is none."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matcher.planning.candidates import Candidate, Dimension
from matcher.planning.clashes import clash
from matcher.planning.plan import Plan, plan
from matcher.planning.rows import Programme, Row, programme
from matcher.planning.rules import Ceiling, Measure, Override, Quota, RuleError, Rules
from matcher.planning.solve import Impossible, possible, solve
from matcher.planning.what_if import change, more_money, stability

YEAR = 2027
APPLY, TRIAL = "ứng dụng", "sản xuất thử nghiệm"


def line(key: str, score: float, state: float, **facts: object) -> Candidate:
    kind = str(facts.pop("kind", APPLY))
    own = float(str(facts.pop("own", state)))
    counted = {Dimension.KIND: (kind,)}
    return Candidate(key, f"việc {key}", score, {YEAR: state}, {YEAR: own}, counted, **facts)  # type: ignore[arg-type]


def rules(budget: float, *quotas: Quota, **more: object) -> Rules:
    return Rules({YEAR: budget}, quotas, **more)  # type: ignore[arg-type]


def most(kind: str, number: float, measure: Measure = Measure.COUNT) -> Quota:
    return Quota(Dimension.KIND, kind, measure, most=number)


def least(kind: str, number: float, measure: Measure = Measure.COUNT) -> Quota:
    return Quota(Dimension.KIND, kind, measure, least=number)


def ids(found: Plan) -> list[str]:
    return sorted(found.ids)


# Known answers ----------------------------------------------------------------------------------

THREE = [line("a", 0.6, 500), line("b", 0.5, 300), line("c", 0.4, 300)]


def test_two_cheap_lines_beat_one_dear_one() -> None:
    found = plan(THREE, rules(600))
    assert ids(found) == ["b", "c"]
    assert found.worth == pytest.approx(0.5 + 0.4)
    assert found.gap == pytest.approx(0, abs=1e-9)
    assert [each.candidate.id for each in found.reserve] == ["a"]


def test_no_money_funds_nothing() -> None:
    assert ids(plan(THREE, rules(0))) == []


def test_no_candidates_are_an_empty_list() -> None:
    assert ids(plan([], rules(600))) == []


def test_carry_over_comes_first_though_it_is_worth_less() -> None:
    lines = [*THREE[:2], line("c", 0.01, 300, carried_over=True)]
    found = plan(lines, rules(600))
    assert ids(found) == ["b", "c"]
    assert [each.candidate.id for each in found.funded] == ["c", "b"]
    assert found.funded[0].why == "nhiệm vụ chuyển tiếp, bố trí trước"


def test_a_need_gets_one_technology_but_it_may_go_to_several_places() -> None:
    lines = [
        line("a", 0.9, 100, needs=("N",), technology="CN-1"),
        line("b", 0.8, 100, needs=("N",), technology="CN-2"),
        line("c", 0.7, 100, needs=("N",), technology="CN-2"),
    ]
    found = plan(lines, rules(900))
    assert ids(found) == ["b", "c"]  # 0.8 + 0.7 > 0.9
    assert found.reserve[0].why == "nhu cầu N đã có b"


def test_a_floor_a_cap_and_a_share_are_kept() -> None:
    lines = [line("a", 0.9, 100), line("b", 0.8, 100), line("t", 0.1, 100, kind=TRIAL)]
    assert ids(plan(lines, rules(200, least(TRIAL, 1)))) == ["a", "t"]
    assert ids(plan(lines, rules(300, most(APPLY, 1)))) == ["a", "t"]
    assert ids(plan(lines, rules(300, most(APPLY, 50, Measure.SHARE)))) == ["a", "t"]
    assert ids(plan(lines, rules(300, most(APPLY, 150, Measure.STATE)))) == ["a", "t"]


def test_more_support_than_the_ceiling_is_refused_with_the_number_that_would_do() -> None:
    lines = [line("a", 0.9, 400, own=100), line("b", 0.1, 100)]
    found = plan(lines, rules(900, ceilings=(Ceiling(APPLY, share=0.5),)))
    assert ids(found) == ["b"]
    assert "80 %, trần là 50 % (cần giảm còn 250 triệu" in found.refused[0].reason


def test_a_pin_displaces_a_line_that_is_named_and_a_ceiling_that_it_beats() -> None:
    before = plan(THREE, rules(600, ceilings=(Ceiling(most=400),)))
    assert [each.candidate.id for each in before.refused] == ["a"]
    pin = Override("a", True, "cam kết với xã", "giám đốc")
    after = plan(THREE, rules(600, ceilings=(Ceiling(most=400),), overrides=(pin,)))
    assert change(before, after).added == ("a",)
    assert change(before, after).dropped == ("b", "c")
    assert after.funded[0].why == "ghim a (giám đốc: cam kết với xã)"
    assert "vượt trần 400 triệu" in after.notices[0]


def test_a_forbidden_line_is_set_apart_with_who_and_why() -> None:
    no = Override("b", False, "trùng", "phòng kế hoạch")
    found = plan(THREE, rules(600, overrides=(no,)))
    assert ids(found) == ["a"]
    assert [(each.candidate.id, each.reason) for each in found.refused] == [("b", no.words)]


def test_why_a_line_is_out_names_the_rule_and_what_would_bring_it_in() -> None:
    lines = [line(f"a{i}", 0.9 - i / 100, 100) for i in range(4)] + [line("z", 0.2, 100)]
    found = plan(lines, rules(250))
    out = {each.candidate.id: each for each in found.reserve}
    assert "NSNN năm 2027: nhiều nhất 250 triệu đồng" in out["z"].why
    assert "điểm tăng khoảng 340 %" in out["z"].would  # 0.88 of the marginal line over 0.2
    assert [each.candidate.id for each in found.reserve] == ["a2", "a3", "z"]


# Rules that are wrong ---------------------------------------------------------------------------


def test_rules_that_clash_are_the_smallest_set_in_words() -> None:
    quotas = (least(TRIAL, 1), most(TRIAL, 0), least(APPLY, 1), most(APPLY, 2))
    found = plan([*THREE, line("t", 0.1, 100, kind=TRIAL)], rules(900, *quotas))
    assert (ids(found), len(found.clashing)) == ([], 2)
    assert set(found.clashing) == {quotas[0].words, quotas[1].words}


def test_carry_over_beyond_the_budget_clashes_with_it() -> None:
    lines = [line("a", 0.5, 400, carried_over=True), line("b", 0.5, 400, carried_over=True)]
    found = plan(lines, rules(600))
    assert found.clashing == (
        "chuyển tiếp a (việc a)",
        "chuyển tiếp b (việc b)",
        "NSNN năm 2027: nhiều nhất 600 triệu đồng",
    )


def test_rules_about_what_is_not_there_are_refused() -> None:
    with pytest.raises(RuleError, match=r"không ứng viên nào có loại nhiệm vụ “bay”.*ứng dụng"):
        plan(THREE, rules(600, most("bay", 1)))
    with pytest.raises(RuleError, match="không có dòng nào mã này"):
        plan(THREE, rules(600, overrides=(Override("z", True, "", ""),)))
    with pytest.raises(RuleError, match="vừa bị ghim vừa bị loại"):
        rules(1, overrides=(Override("a", True, "", ""), Override("a", False, "", "")))
    with pytest.raises(RuleError, match="lớn hơn nhiều nhất"):
        Quota(Dimension.ALL, "", Measure.COUNT, least=3, most=2)
    with pytest.raises(RuleError, match="ít nhất một năm"):
        Rules({})


def test_an_accent_tells_two_communes_apart() -> None:
    found = Candidate("a", "a", 1, {YEAR: 1}, {}, {Dimension.COMMUNE: ("xã Hòa An",)})
    assert found.falls_under(Dimension.COMMUNE, "Xã Hoà An")
    assert not found.falls_under(Dimension.COMMUNE, "xã Hòa Ân")


# References -------------------------------------------------------------------------------------


@st.composite
def small(draw: st.DrawFn) -> tuple[list[Candidate], Rules]:
    count = draw(st.integers(1, 9))
    score, cost = st.integers(0, 9), st.integers(1, 9)
    lines = [
        line(
            f"c{i}",
            draw(score) / 10,
            draw(cost) * 100,
            kind=draw(st.sampled_from((APPLY, TRIAL))),
            needs=draw(st.sampled_from(((), ("N1",), ("N2",), ("N1", "N2")))),
            technology=draw(st.sampled_from((None, "T1", "T2"))),
        )
        for i in range(count)
    ]
    kinds = {value for each in lines for value in each.counted[Dimension.KIND]}
    quotas = tuple(
        Quota(
            Dimension.KIND, kind, measure, draw(st.none() | bound), draw(st.integers(3, 9)) * unit
        )
        for kind in sorted(kinds)
        for measure, unit in ((Measure.COUNT, 1), (Measure.STATE, 300), (Measure.SHARE, 10))
        for bound in (st.integers(0, 2).map(lambda n, unit=unit: n * unit),)
    )
    return lines, rules(draw(st.integers(0, 30)) * 100, *quotas)


def by_hand(lines: list[Candidate], asked: Rules) -> float | None:
    """The best of all 2ⁿ lists, each checked against the rules as they are said."""
    worth = [sum(line.score for line in chosen) for chosen in _lists(lines) if kept(chosen, asked)]
    return max(worth, default=None)


def _lists(lines: list[Candidate]) -> list[list[Candidate]]:
    return [
        [each for each, taken in zip(lines, marks, strict=True) if taken]
        for marks in product((False, True), repeat=len(lines))
    ]


def kept(chosen: list[Candidate], asked: Rules) -> bool:
    total = sum(each.state_total for each in chosen)
    technologies: dict[str, set[str]] = {}
    for each in chosen:
        for need in each.needs:
            technologies.setdefault(need, set()).add(each.technology or each.id)
    if total > asked.budget[YEAR] or any(len(each) > 1 for each in technologies.values()):
        return False
    for quota in asked.quotas:
        part = [each for each in chosen if each.falls_under(quota.dimension, quota.value)]
        money = sum(each.state_total for each in part)
        value = {
            Measure.COUNT: len(part),
            Measure.STATE: money,
            Measure.SHARE: 100 * money / total if total else None,
        }[quota.measure]
        if value is None:  # no money at all: no share is too small or too large
            continue
        if quota.least is not None and value < quota.least - 1e-9:
            return False
        if quota.most is not None and value > quota.most + 1e-9:
            return False
    return True


@settings(deadline=None, max_examples=60)
@given(small())
def test_the_list_is_as_good_as_the_best_of_all_lists(case: tuple[list[Candidate], Rules]) -> None:
    lines, asked = case
    best = by_hand(lines, asked)
    found = plan(lines, asked)
    if best is None:
        assert found.clashing
        assert_smallest(programme(lines, asked), found.clashing)
        return
    assert found.worth == pytest.approx(best, abs=1e-6)
    assert kept([each.candidate for each in found.funded], asked)
    assert not found.clashing


def assert_smallest(asked: Programme, words: tuple[str, ...]) -> None:
    given = [row for row in asked.rows if not row.rule]
    rows = [row for row in asked.rows if row.words in words and row.rule]
    assert not possible(asked, [*given, *rows])
    for row in rows:
        assert possible(asked, [*given, *(each for each in rows if each is not row)])


def test_a_larger_list_agrees_with_an_independent_formulation() -> None:
    chance = random.Random(7)
    lines = [
        line(f"c{i:03d}", chance.randint(1, 99) / 100, chance.randint(2, 25) * 100,
             kind=chance.choice((APPLY, TRIAL)), needs=(f"N{chance.randrange(90)}",))
        for i in range(150)
    ]  # fmt: skip
    asked = rules(24_000, least(TRIAL, 5), most(APPLY, 60, Measure.SHARE))
    money = np.array([each.state_total for each in lines])
    trial = np.array([each.falls_under(Dimension.KIND, TRIAL) for each in lines])
    needs = sorted({need for each in lines for need in each.needs})
    serves = np.array([[need in each.needs for each in lines] for need in needs], float)
    reference = milp(
        -np.array([each.score for each in lines]),
        integrality=np.ones(len(lines)),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(money[None], ub=24_000),
            LinearConstraint(trial[None].astype(float), lb=5),
            LinearConstraint(((~trial - 0.6) * money)[None], ub=0),
            LinearConstraint(serves, ub=1),
        ],
        options={"mip_rel_gap": 0},
    )
    found = plan(lines, asked)
    assert found.worth == pytest.approx(-reference.fun, rel=1e-6)
    assert not found.out_of_time
    assert plan(lines[::-1], asked) == found  # whatever the order in which they come


def test_rows_that_cannot_hold_raise_and_rows_that_can_do_not_clash() -> None:
    asked = Programme(tuple(THREE), (1.0, 1.0, 1.0), (Row("quá", {0: 1.0}, low=2.0),))
    with pytest.raises(Impossible):
        solve(asked)
    assert [row.words for row in clash(asked)] == ["quá"]
    assert clash(programme(THREE, rules(600))) == ()


# What if ----------------------------------------------------------------------------------------


def test_a_close_call_is_told_from_a_safe_one() -> None:
    lines = [
        line("safe", 0.9, 100),
        line("x", 0.50, 100),
        line("y", 0.49, 100),
        line("no", 0.1, 100),
    ]
    found = stability(lines, rules(200))
    assert found.scores["safe"] == 1
    assert found.scores["no"] == 0
    assert 0 < found.scores["y"] < found.scores["x"] < 1
    assert found == stability(lines, rules(200))
    assert stability(
        [replace(each, carried_over=True) for each in lines[:2]], rules(200)
    ).costs == {
        "safe": 1,
        "x": 1,
    }


def test_what_more_money_buys() -> None:
    steps = more_money(THREE, rules(600), [-600, 0, 500])
    assert [(each.money, each.added, each.dropped) for each in steps] == [
        (-600, (), ("b", "c")),
        (0, (), ()),
        (500, ("a",), ()),
    ]
    assert [each.worth for each in steps] == pytest.approx([0, 0.9, 1.5])
