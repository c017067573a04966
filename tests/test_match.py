import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY, Tiny, lexical, matcher

from corpus.records import Need, Product, Technology
from matcher import fit
from matcher.answers import Answer, Match
from matcher.explain import ADAPT, REFERENCE, SUITS, Explanation
from matcher.hits import Hit
from matcher.match import ASIDE, TOGETHER, Matcher
from matcher.model import DEFAULT
from matcher.need import Conditions, Query

MANGO = Product(id="SP", name="Xoài")


def match(key, score, label=SUITS):
    hit = Hit(key, 0, score, {"words": score}, None, score)
    return Match(Technology(id=key, name=key), hit, Explanation(label, ""))


class Canned(Matcher):
    """A matcher whose answers were written by hand, by the text of the need."""

    def answer(self, query, k=10, only=None):
        found = ANSWERS[query.text]
        return Answer(query, tuple(found[:k]), total=len(found))


ANSWERS = {}


def canned(answers, needs=None, products=(MANGO,)):
    """Make a product list of ``{need: [match, …]}``."""
    ANSWERS.clear()
    ANSWERS.update(answers)
    needs = needs or [Need(id=key, product="SP", text=key) for key in answers]
    plain = lexical()
    return Canned.of(plain.engine, (), products, needs, TODAY)


def chosen(found):
    return [(each.match.technology.id, [need.id for need in each.needs]) for each in found.choices]


# A list that covers the needs of a product -------------------------------------------------------

# By hand: first round  A 0.9 · B 0.8 + 0.7 = 1.5 · C 0.5 · D 0.95            → B
#          second round A 0.9 - 0.8 = 0.1 · C 0.5 · D 0.95 - 0.8 = 0.15       → C
#          third round  A 0.1 · D 0.15                                        → D
#          fourth round A max(0, 0.9 - 0.95) = 0                              → the list ends
GREEDY = {
    "N1": [match("D", 0.95), match("A", 0.9), match("B", 0.8)],
    "N2": [match("B", 0.7)],
    "N3": [match("C", 0.5, ADAPT)],
}


def test_the_list_takes_what_adds_most_over_all_needs_and_ends_when_nothing_adds():
    found = canned(GREEDY).for_product(MANGO)
    assert chosen(found) == [("B", ["N1", "N2"]), ("C", ["N3"]), ("D", ["N1"])]
    assert found.uncovered == ()


def test_a_line_shows_the_match_of_the_need_it_serves_best():
    found = canned(GREEDY).for_product(MANGO)
    assert [each.match.hit.score for each in found.choices] == [0.8, 0.5, 0.95]
    assert [each.match.label for each in found.choices] == [SUITS, ADAPT, SUITS]


def test_a_short_list_covers_needs_before_it_repeats_the_first():
    ten = [match(f"T{number}", 0.9 - number / 100) for number in range(10)]
    found = canned({"N1": ten, "N2": [match("X", 0.4, ADAPT)]}).for_product(MANGO, k=2)
    assert chosen(found) == [("T0", ["N1"]), ("X", ["N2"])]


def test_ten_answers_to_one_need_are_one_line():
    ten = [match(f"T{number}", 0.9 - number / 100) for number in range(10)]
    assert chosen(canned({"N1": ten}).for_product(MANGO)) == [("T0", ["N1"])]


def test_equal_gains_go_to_the_smaller_id():
    ties = {"N1": [match("B", 0.5), match("A", 0.5)], "N2": [match("C", 0.5)]}
    assert chosen(canned(ties).for_product(MANGO)) == [("A", ["N1"]), ("C", ["N2"])]


def test_what_is_only_a_reference_covers_nothing():
    found = canned(
        {"N1": [match("A", 0.9)], "N2": [match("A", 0.9, REFERENCE)], "N3": []}
    ).for_product(MANGO)
    assert chosen(found) == [("A", ["N1"])]
    assert [need.id for need in found.uncovered] == ["N2", "N3"]


def test_a_product_without_needs_has_an_empty_list():
    found = canned({}, needs=[Need(id="N", product="SP-other", text="x")]).for_product(MANGO)
    assert (found.choices, found.uncovered, dict(found.answers)) == ((), (), {})


def test_needs_stand_by_priority_then_id():
    needs = [
        Need(id="N3", product="SP", text="c"),  # no priority: last
        Need(id="N1", product="SP", text="a", priority=2),
        Need(id="N2", product="SP", text="b", priority=1),
        Need(id="N0", product="SP", text="a", priority=2),
    ]
    found = canned({"a": [], "b": [], "c": []}, needs).for_product(MANGO)
    assert list(found.answers) == ["N2", "N0", "N1", "N3"]


gains = st.dictionaries(
    st.sampled_from(["N1", "N2", "N3"]),
    st.dictionaries(st.sampled_from("ABCDE"), st.integers(1, 20), max_size=5),
    min_size=1,
)


@given(gains, st.integers(1, 3))
def test_greedy_reaches_the_promised_part_of_the_best_list(scores, k):
    answers = {
        need: [match(key, by / 20) for key, by in found.items()] for need, found in scores.items()
    }
    lists = canned(answers).for_product(MANGO, k)

    def worth(keys):
        return sum(
            max((by for key, by in found.items() if key in keys), default=0)
            for found in scores.values()
        )

    keys = {key for found in scores.values() for key in found}
    best = max(worth(subset) for subset in _subsets(sorted(keys), k))
    assert worth([each.match.technology.id for each in lists.choices]) >= (1 - 1 / 2.71829) * best
    assert len(lists.choices) <= k


def _subsets(keys, k):
    if not keys or k == 0:
        return [[]]
    without = _subsets(keys[1:], k)
    return without + [[keys[0], *rest] for rest in _subsets(keys[1:], k - 1)]


# Products and their parts ------------------------------------------------------------------------


def test_the_needs_of_a_products_parts_are_its_needs():
    whole = lexical().for_product(PRODUCTS[0])  # SP-3 is a part of SP-1
    part = lexical().for_product(PRODUCTS[2])
    assert set(whole.answers) == {"N-1", "N-2", "N-4"}
    assert set(part.answers) == {"N-4"}


def test_parts_of_parts_count_and_a_circle_of_parents_ends():
    products = [
        Product(id="A", name="a"),
        Product(id="B", name="b", parent="A"),
        Product(id="C", name="c", parent="B"),
        Product(id="X", name="x", parent="Y"),
        Product(id="Y", name="y", parent="X"),
        Product(id="Z", name="z", parent="gone"),
    ]
    needs = [Need(id=f"N-{each.id}", product=each.id, text="sấy") for each in products]
    asker = matcher(products=products, needs=needs)
    assert set(asker.for_product(products[0]).answers) == {"N-A", "N-B", "N-C"}
    assert set(asker.for_product(products[3]).answers) == {"N-X", "N-Y"}
    assert set(asker.for_product(products[5]).answers) == {"N-Z"}


def test_a_need_whose_product_is_gone_is_still_a_need():
    asker = matcher(products=[], needs=[Need(id="N", product="gone", text="sấy vải")])
    (taker,) = asker.takers(TECHNOLOGIES[0])
    assert (taker.need.id, taker.product) == ("N", None)


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("SP-2", "SP-2"),
        ("Vải thiều Lục Ngạn", "SP-1"),
        ("VẢI THIỀU LỤC NGẠN", "SP-1"),
        ("vai thieu luc ngan", "SP-1"),
        ("khóm", "SP-2"),  # another of its names
        ("vải sớm", "SP-3"),
    ],
)
def test_a_product_is_found_by_id_and_by_any_of_its_names(asked, key):
    assert lexical().product(asked).id == key


@pytest.mark.parametrize("asked", ["", "!", "nowhere", "thiều"])
def test_an_unknown_product_is_none(asked):
    assert lexical().product(asked) is None


def test_a_product_is_known_by_its_accents_where_they_are_typed():
    pineapple, coconut = Product(id="SP-1", name="Dứa"), Product(id="SP-2", name="Dừa")
    asker = matcher(products=[pineapple, coconut], needs=[])
    assert asker.product("dừa") is coconut
    assert asker.product("dứa") is pineapple
    assert asker.product("dưa") is None  # melon
    assert asker.product("dua") is pineapple  # could be both: the smaller id


# Needs and free text -----------------------------------------------------------------------------


def test_a_stated_need_carries_its_product_and_conditions():
    query = lexical().stated(NEEDS[0])
    assert query.product == "Vải thiều Lục Ngạn"
    assert query.products == {"vải"}
    assert query.conditions == Conditions(budget=200, place="Bắc Giang")


def test_a_needs_own_place_and_stage_come_before_the_products():
    need = Need(id="N", product="SP-1", text="Sấy", province="Hưng Yên", stage="bảo quản")
    query = lexical().stated(need)
    assert (query.conditions.place, query.stages) == ("Hưng Yên", {"bảo quản"})


def test_what_breaks_a_hard_rule_stands_apart_with_its_reason():
    asker = lexical()
    found = asker.answer(asker.text("bảo quản vải", conditions=Conditions(budget=200, trl_min=7)))
    assert "CN-2" not in [each.technology.id for each in found.matches]
    (apart,) = [each for each in found.set_apart if each.technology.id == "CN-2"]
    assert [each.rule for each in apart.explanation.breaches] == ["budget", "trl"]
    assert apart.explanation.breaches[0].reason.endswith("vượt 200 triệu")


def test_validity_is_judged_on_the_day_asked_for():
    before = matcher(as_of=dt.date(2025, 6, 30))
    assert "CN-3" in [each.technology.id for each in before.answer(before.text("sấy nhãn")).matches]
    assert "CN-3" in [
        each.technology.id for each in lexical().answer(lexical().text("sấy nhãn")).set_apart
    ]


@pytest.mark.parametrize(("useful", "apart"), [(False, []), (True, ["DEAR"])])
def test_far_down_only_what_may_be_of_use_is_set_apart(useful, apart):
    text = {"products": ["Vải"], "summary": "Sấy vải giữ màu"}
    fair = [Technology(id=f"C-{n:03}", name="Sấy vải thiều", **text) for n in range(ASIDE)]
    dear = Technology(id="DEAR", name="Sấy nông sản", cost_from=900, **text)
    weights = replace(DEFAULT, found=0.0, adapts_own=0.0) if useful else replace(DEFAULT, found=1.0)
    asker = matcher((*fair, dear), weights=weights)
    found = asker.answer(asker.text("sấy vải", conditions=Conditions(budget=100)))
    assert [hit.id for hit in asker.rank(found.query).hits()][-1] == "DEAR"
    assert len(found.matches) == 10
    assert [each.technology.id for each in found.set_apart] == apart


def test_k_cuts_both_sides_and_not_the_total():
    weights = replace(DEFAULT, suits=0, found=0)
    asker = matcher(encoder=Tiny(), weights=weights)
    query = asker.text("sấy vải", conditions=Conditions(budget=100))
    found = asker.answer(query, 1)
    assert len(found.matches) == len(found.set_apart) == 1
    assert found.total == len(list(asker.rank(query).hits()))
    assert found.total == len(TECHNOLOGIES)


def test_an_answer_of_references_only_is_not_found():
    query = Query("x")
    assert not Answer(query, (match("A", 0.1, REFERENCE),)).found
    assert not Answer(query, ()).found
    assert Answer(query, (), (match("A", 0.5, ADAPT),)).found  # there, though it breaks a rule


def test_the_label_tells_same_product_from_another():
    # Weights and thresholds are the shipped ones, but that eight records may hold an answer.
    asker = matcher(weights=replace(DEFAULT, found=0.0))
    found = asker.answer(asker.text("sấy vải"))
    labels = {each.technology.id: each.label for each in (*found.matches, *found.set_apart)}
    assert labels["CN-1"] == SUITS  # dries lychee
    assert labels["CN-3"] == ADAPT  # dries longan, which is near (and has expired)
    assert labels["CN-2"] == REFERENCE  # for lychee, but does not dry it
    assert labels["CN-4"] == REFERENCE  # dries, but shrimp


# Takers ------------------------------------------------------------------------------------------


def test_takers_are_the_needs_that_find_the_technology_best_first():
    asker = lexical()
    technology = asker.technologies["CN-2"]
    takers = asker.takers(technology)
    assert takers[0].need.id == "N-2"  # keep the peel red on the ship
    assert takers[0].product.id == "SP-1"
    scores = [each.match.hit.score for each in takers]
    assert scores == sorted(scores, reverse=True)
    for taker in takers:
        hits = asker.rank(asker.stated(taker.need)).find("CN-2")
        assert [hit.score for hit in hits] == [taker.match.hit.score]


def test_takers_see_the_rules_that_the_technology_breaks_for_them():
    (taker, *_) = lexical().takers(lexical().technologies["CN-2"])
    assert [each.rule for each in taker.match.explanation.breaches] == ["budget"]  # 450 > 200


def test_takers_are_cut_at_k_and_ties_stand_by_the_needs_id():
    needs = [Need(id=key, product="SP-1", text="Sấy") for key in ("N-2", "N-10", "N-1")]
    asker = matcher(needs=needs)
    technology = asker.technologies["CN-1"]
    assert [each.need.id for each in asker.takers(technology)] == ["N-1", "N-10", "N-2"]
    assert [each.need.id for each in asker.takers(technology, 2)] == ["N-1", "N-10"]


def test_a_technology_nobody_asks_for_has_no_takers():
    assert lexical().takers(lexical().technologies["CN-7"]) == ()


# Many queries at once ----------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_batch_answers_each_query_as_it_is_answered_alone(threads):
    mine = matcher()
    queries = [mine.stated(each) for each in mine.needs.values()]
    queries = [*queries, *(mine.text(each.name) for each in TECHNOLOGIES), mine.text("")] * 9
    assert len(queries) > TOGETHER
    alone = [mine.answer(each, 3) for each in queries]
    assert list(mine.answers(iter(queries), 3, threads=threads)) == alone
    assert {len(each.matches) for each in alone} > {0}


def test_a_batch_works_out_only_so_many_answers_ahead():
    mine, read = matcher(), []

    def queries():
        for number in range(10 * TOGETHER):
            read.append(number)
            yield mine.text("xoài")

    found = mine.answers(queries(), 1)
    assert not read
    assert next(found) == mine.answer(mine.text("xoài"), 1)
    assert len(read) == TOGETHER
    found.close()
    assert len(read) == TOGETHER


@pytest.mark.parametrize("budget", [None, 0.0, 150.0, 1e9])
@pytest.mark.parametrize("trl_min", [None, 1, 7, 9])
def test_columns_know_which_records_break_a_rule(budget, trl_min):
    mine = lexical()
    stated = Conditions(budget=budget, trl_min=trl_min)
    told = mine.columns.breaking(stated)
    for row, key in enumerate(mine.engine.index.ids):
        assert told[row] == bool(fit.breaches(mine.technologies[key], stated, mine.as_of)), key
