"""Filters by columns and counts by value: against one record at a time, and known answers."""

import datetime as dt
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import TECHNOLOGIES, TODAY, Tiny, lexical, matcher, places

from corpus.places_asked import asked
from corpus.priority import PriorityGroup, PriorityList, Standing
from corpus.records import STAGES, Technology
from matcher.facets import PRICE, SHOWN, TRL, facets, years
from matcher.fit import About, Filter
from matcher.match import EVERYTHING

KINDS = ("quy trình", "Quy trình công nghệ", "thiết bị", "giống", None)
FIELDS = ("chế biến nông sản", "bảo quản", "Bảo quản sau thu hoạch", "thủy sản")
WORKS = ("Sấy", "Bảo quản", "Tưới", "Kho lạnh cho", "Máy")
GOODS = ("vải", "nhãn", "dứa", "khóm", "tôm", "cây ăn quả", "lúa")
LISTED = PriorityList(
    id="DM-1", name="Danh mục", date=dt.date(2026, 1, 5), standing=Standing.ISSUED, decision="1/QĐ",
    groups=(
        PriorityGroup(key="(i)", name="Cây ăn quả", products=("cây ăn quả",)),
        PriorityGroup(key="(ii)", name="Giữ tươi", words=("giữ tươi", "kho lạnh")),
        PriorityGroup(key="(iii)", name="Chưa rõ"),
    ),
)  # fmt: skip
SEATS = ("An Giang", "Kiên Giang", "An Giang cũ", "Bắc Ninh", "Bắc Giang", "Hà Nội", "Atlantis")


def made(number, chance):
    """A technology of random facts, some of them missing."""

    def perhaps(values):
        return chance.choice([None, *values])

    low = perhaps([0, 10, 50, 50.5, 200, 201, 1000, 1001, 5000])
    return Technology(
        id=f"T-{number:03d}",
        name=f"{chance.choice(WORKS)} {chance.choice(GOODS)}",
        summary=perhaps(["Dùng cho vải và nhãn.", "Giữ tươi tôm.", "Sấy dứa cắt lát."]),
        kind=chance.choice(KINDS),
        fields=tuple(chance.sample(FIELDS, chance.randrange(3))),
        products=tuple(chance.sample(GOODS, chance.randrange(3))),
        stages=tuple(chance.sample(STAGES, chance.randrange(2))),
        trl=perhaps(range(1, 10)),
        province=perhaps(SEATS),
        cost_from=low,
        cost_to=None if low is None else perhaps([low, low + 100]),
        year=perhaps([1999, 2015, 2016, 2020, 2021, 2023, 2024, 2026]),
        valid_until=perhaps([TODAY, TODAY - dt.timedelta(1), TODAY + dt.timedelta(400)]),
        places_used=tuple(f"Xã Mới, {each}" for each in chance.sample(SEATS, chance.randrange(3))),
    )


def many(count=80, seed=3):
    chance = random.Random(seed)
    return [made(number, chance) for number in range(count)]


@pytest.fixture(scope="module")
def crowd():
    return matcher(technologies=many(), encoder=Tiny(), priorities=[LISTED])


def about(found, row):
    engine = found.engine
    nodes = engine.fitting.products_of(row)
    above = {up for each in nodes for up in engine.lexicon.terms[each].ancestors}
    groups = found.priorities_of(found.technologies[engine.index.ids[row]])
    return About(
        engine.fitting.stages_of(row), nodes | above, frozenset(each.key for each in groups)
    )


def one_by_one(found, only, ask=Filter.admits):
    """Which rows ``only`` admits, asked of one record at a time."""
    return [
        ask(only, found.technologies[key], places(), TODAY, about(found, row))
        for row, key in enumerate(found.engine.index.ids)
    ]


def some(values):
    values = st.sampled_from(values)
    return st.none() | values | st.lists(values, max_size=2).map(tuple)


FILTERS = st.builds(
    Filter,
    kind=some(["quy trình", "QUY TRINH", "thiết bị", "!"]),
    field=some(["bảo quản", "bao quan", "sản", "thủy sản"]),
    product=some(["vải", "vai", "khóm", "sấy"]),
    place=some(["An Giang", "An Giang cũ", "Kiên Giang", "Đồng bằng sông Cửu Long", "Mars", ""]),
    trl_min=st.none() | st.integers(1, 9),
    trl_max=st.none() | st.integers(1, 9),
    price_max=st.none() | st.sampled_from([0.0, 50.0, 200.0, 1e6]),
    price_above=st.none() | st.sampled_from([0.0, 50.0, 200.0]),
    year_from=st.none() | st.integers(2014, 2026),
    year_to=st.none() | st.integers(2014, 2026),
    stage=some(["chế biến", "che bien", "bảo quản"]),
    node=some(["cây ăn quả", "dứa", "tôm", "khóm", "không có"]),
    valid=st.booleans(),
    priority=some(["(i)", "(ii)", "(iii)", "ii"]),
)


@given(FILTERS)
@settings(max_examples=200, deadline=None)
def test_columns_admit_what_each_record_by_itself_is_admitted_by(only):
    found = matcher_of_many()
    assert found.admitted(only).tolist() == one_by_one(found, only)
    assert found.undecided(only).tolist() == one_by_one(found, only, Filter.undecided)


def matcher_of_many(kept=[]):  # noqa: B006 - kept on purpose: hypothesis takes no fixture
    if not kept:
        kept.append(matcher(technologies=many(), priorities=[LISTED]))
    return kept[0]


def buckets(found):
    return [(facet, each) for facet in found for bucket in facet.buckets
            for each in (bucket, *bucket.parts)]  # fmt: skip


@pytest.mark.parametrize(
    "only",
    [
        EVERYTHING,
        Filter(kind="quy trình"),
        Filter(kind=("giống", "thiết bị"), node="cây ăn quả", valid=True),
        Filter(field="bảo quản", trl_min=4, trl_max=6),
        Filter(place="Kiên Giang", price_above=50, price_max=200),
        Filter(product="vải", year_from=2016, stage="bảo quản"),
        Filter(kind="không có"),
        Filter(priority=("(i)", "(ii)"), trl_min=4),
        Filter(priority="(iii)"),
    ],
)
@pytest.mark.parametrize("text", ["sấy vải nhãn", "bao quan tom", "máy", "xyz"])
def test_a_count_is_the_total_that_a_search_for_the_value_has(crowd, only, text):
    query = crowd.text(text)
    found = facets(crowd, crowd.rank(query), only)
    for facet, bucket in buckets(found):
        instead = replace(only.without(facet.name), **bucket.choose)
        assert bucket.count == crowd.answer(query, 1, instead).total, (facet.name, bucket)


def test_counts_against_one_record_at_a_time(crowd):
    query, only = crowd.text("sấy vải nhãn dứa tôm"), Filter(kind="quy trình", trl_min=3)
    ranking = crowd.rank(query)
    hits = {hit.row for hit in ranking.hits()}
    assert len(hits) > 20
    for facet in facets(crowd, ranking, only):
        mine = [row for row, yes in enumerate(one_by_one(crowd, only.without(facet.name)))
                if yes and row in hits]  # fmt: skip
        for bucket in facet.buckets:
            chosen = one_by_one(crowd, Filter(**bucket.choose))
            assert bucket.count == sum(chosen[row] for row in mine), (facet.name, bucket)
        records = [crowd.technologies[crowd.engine.index.ids[row]] for row in mine]
        unknown = {
            "kind": sum(not each.kind for each in records),
            "field": sum(not each.fields for each in records),
            "stage": sum(not crowd.engine.fitting.stages_of(row) for row in mine),
            "product": sum(not crowd.engine.fitting.products_of(row) for row in mine),
            "place": sum(
                not any(places().find(text) for text in (each.province or "", *each.places_used))
                for each in records
            ),
            "priority": sum(not crowd.priorities_of(each) for each in records),
            "trl": sum(each.trl is None for each in records),
            "price": sum(each.lowest_cost is None for each in records),
            "year": sum(each.year is None for each in records),
            "validity": sum(each.valid_until is None for each in records),
        }
        assert facet.unknown == unknown[facet.name], facet.name


def test_every_value_that_a_hit_states_is_counted(crowd):
    ranking = crowd.rank(crowd.text("sấy vải"))
    found = {each.name: each for each in facets(crowd, ranking)}
    records = [crowd.technologies[hit.id] for hit in ranking.hits()]
    listed = {name: {each.value for each in found[name].buckets} for name in found}
    assert listed["kind"] == {each.kind for each in records if each.kind}
    assert listed["field"] == {name for each in records for name in each.fields}
    assert found["kind"].distinct == len(listed["kind"])
    for name, unit in (("trl", "trl"), ("price", "lowest_cost"), ("year", "year")):
        stated = sum(getattr(each, unit) is not None for each in records)
        assert sum(each.count for each in found[name].buckets) == stated, name  # bands do not lap


def test_known_counts():
    found = {each.name: each for each in facets(lexical(), None)}
    told = {
        name: [(each.value, each.count) for each in facet.buckets] for name, facet in found.items()
    }
    assert told["kind"] == [("quy trình", 2), ("thiết bị", 1)]
    assert told["field"] == [("bảo quản sau thu hoạch", 1), ("chế biến nông sản", 1)]
    assert told["product"][:2] == [("cây ăn quả", 5), ("tôm", 2)]  # vải, nhãn, dứa and all fruit
    assert told["product"][2] == ("vải", 2)
    assert told["trl"] == [
        ("4–6: thử nghiệm", 1), ("7–8: đã trình diễn", 5), ("9: đã dùng thực tế", 1),
    ]  # fmt: skip
    assert told["place"][0] == ("Bắc Ninh (từ 1/7/2025)", 2)
    parts = [(each.value, each.count) for each in found["place"].buckets[0].parts]
    # CN-2 says Bắc Ninh and is of 2024: the old one
    assert parts == [("Bắc Giang", 1), ("Bắc Ninh (trước 1/7/2025)", 1)]
    assert told["year"] == [("2024 trở lại đây", 1), ("2021–2023", 2), ("2016–2020", 1)]
    assert told["validity"] == [("còn hiệu lực hoặc chưa rõ hạn", 7)]
    assert found["kind"].unknown == 5


def test_groups_of_the_list_in_force_are_counted_by_name(crowd):
    found = {each.name: each for each in facets(crowd, None)}["priority"]
    assert {each.value for each in found.buckets} == {"(i) Cây ăn quả", "(ii) Giữ tươi"}
    assert all(each.count for each in found.buckets) and 0 < found.unknown < len(many())
    before = replace(crowd, as_of=LISTED.date - dt.timedelta(1))
    assert "priority" not in {each.name for each in facets(before, None)}
    (gone,) = (each for each in facets(before, None, Filter(priority="(i)"))
               if each.name == "priority")  # fmt: skip
    assert [(each.value, each.count, each.chosen) for each in gone.buckets] == [("(i)", 0, True)]


def test_a_price_under_nda_is_counted_for_those_who_may_read_it_only():
    told = {}
    for audience in ("public", "all"):
        found = {each.name: each for each in facets(matcher(audience=audience), None)}
        told[audience] = {each.value: each.count for each in found["price"].buckets}
    assert told["all"]["trên 200 đến 1.000"] == told["public"]["trên 200 đến 1.000"] + 1


def test_text_under_nda_changes_no_count():
    *others, pond = TECHNOLOGIES
    changed = pond.model_copy(update={"cost_from": 1.0, "detail": "Sấy vải."})
    assert facets(matcher(technologies=[*others, changed]), None) == facets(lexical(), None)


def test_bands_take_every_value_once():
    for bands, values in (
        (TRL, range(1, 10)),
        (PRICE, (0, 0.1, 50, 50.01, 200, 200.5, 1000, 1000.5, 1e9)),
        (years(2026), range(1900, 2101)),
    ):
        for value in values:
            facts = {"trl": {"trl": value}, "price": {"cost_from": value}, "year": {"year": value}}
            name = "trl" if bands is TRL else "price" if bands is PRICE else "year"
            record = Technology(id="A", name="a", **facts[name])
            held = [each.value for each in bands if each.asks.admits(record, places(), TODAY)]
            assert len(held) == 1, (name, value, held)


def test_the_most_frequent_values_are_listed_and_what_is_chosen_besides():
    records = [
        Technology(id=f"{number:03d}", name="Máy", kind=f"loại {number % 30:02d}")
        for number in range(65)
    ]
    found = facets(matcher(technologies=records), None, Filter(kind="loại 29"))[0]
    assert found.distinct == 30
    assert len(found.buckets) == SHOWN + 1
    assert [each.value for each in found.buckets if each.chosen] == ["loại 29"]
    assert [each.count for each in found.buckets[:5]] == [3] * 5


def test_records_that_are_no_longer_there_are_counted_nowhere(crowd):
    known = {key: each for key, each in crowd.technologies.items() if key > "T-009"}
    less = replace(crowd, technologies=known)
    assert less.columns.known.sum() == 70
    query = less.text("sấy vải nhãn dứa")
    total = less.answer(query).total
    assert total < crowd.answer(query).total
    kinds = facets(less, less.rank(query))[0]
    gone = np.flatnonzero(~less.columns.known)
    assert [less.engine.index.ids[row] for row in gone] == [f"T-{at:03d}" for at in range(10)]
    stated = list(less.rank(query).hits(less.columns.known))
    exact = sum(less.technologies[hit.id].kind == "thiết bị" for hit in stated)
    assert {each.value: each.count for each in kinds.buckets}["thiết bị"] == exact


def test_an_old_part_is_asked_for_as_the_filter_reads_it():
    found = facets(matcher(technologies=[
        Technology(id=str(at), name="Máy", province=name)
        for at, name in enumerate(sorted(places().new_names))
    ]), None)[4]  # fmt: skip
    for bucket in found.buckets:
        for part in bucket.parts:
            (area,) = asked(part.value, places()).areas
            assert area.extent == {part.value.removesuffix(" (trước 1/7/2025)")}
    whole = sum(each.count for each in found.buckets)
    assert whole == len(places().new_names)
