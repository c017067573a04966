import datetime as dt

import pytest
from small import TODAY, places

from corpus.records import Technology
from matcher.fit import Breach, Filter, breaches, money
from matcher.need import UNSTATED, Conditions

NOTHING_KNOWN = Technology(id="T", name="Lò sấy")
DEMANDING = Conditions(budget=200, trl_min=6)


def technology(**facts):
    return Technology(id="T", name="Lò sấy", **facts)


def rules(conditions=UNSTATED, **facts):
    return [each.rule for each in breaches(technology(**facts), conditions, TODAY)]


# Hard rules --------------------------------------------------------------------------------------


def test_missing_facts_break_nothing():
    assert breaches(NOTHING_KNOWN, DEMANDING, TODAY) == ()


def test_facts_break_nothing_where_nothing_is_demanded():
    assert rules(trl=1, cost_from=10_000) == []


@pytest.mark.parametrize(
    ("ends", "broken"),
    [
        (TODAY - dt.timedelta(days=1), ["expired"]),
        (TODAY, []),  # valid until the day itself
        (TODAY + dt.timedelta(days=1), []),
    ],
)
def test_an_offer_is_valid_through_its_last_day(ends, broken):
    assert rules(valid_until=ends) == broken


@pytest.mark.parametrize(
    ("facts", "broken"),
    [
        ({"cost_from": 200, "cost_to": 900}, []),  # the lowest cost decides, and 200 is not above
        ({"cost_from": 200.5}, ["budget"]),
        ({"cost_to": 201}, ["budget"]),  # the only stated cost is the lowest
        ({"cost_to": 200}, []),
        ({"cost_from": 0}, []),
    ],
)
def test_over_budget_is_a_lowest_cost_above_the_budget(facts, broken):
    assert rules(DEMANDING, **facts) == broken


def test_a_budget_of_nothing_is_a_budget():
    assert rules(Conditions(budget=0), cost_from=1) == ["budget"]


@pytest.mark.parametrize(("trl", "broken"), [(5, ["trl"]), (6, []), (9, [])])
def test_readiness_below_what_is_needed_breaks_a_rule(trl, broken):
    assert rules(DEMANDING, trl=trl) == broken


def test_every_broken_rule_is_told_with_its_figures():
    broken = technology(valid_until=dt.date(2026, 3, 5), cost_from=1250, cost_to=3000, trl=4)
    assert breaches(broken, DEMANDING, TODAY) == (
        Breach("expired", "hết hiệu lực từ 05/03/2026"),
        Breach("budget", "chi phí thấp nhất 1.250 triệu đồng, vượt 200 triệu"),
        Breach("trl", "mức sẵn sàng TRL 4, thấp hơn TRL 6 cần có"),
    )


# Money -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.5, "0,5"),
        (10, "10"),
        (200.0, "200"),
        (1250, "1.250"),
        (1234567.25, "1.234.567,25"),
        (100_000, "100.000"),
        (0.04, "0,04"),  # 40,000 đồng is not nothing
        (0.1 + 0.2, "0,3"),
    ],
)
def test_money_is_written_the_vietnamese_way(value, text):
    assert money(value) == text


def test_a_cost_just_above_the_budget_is_told_apart_from_it():
    (broken,) = breaches(technology(cost_from=200.04), DEMANDING, TODAY)
    assert broken.reason == "chi phí thấp nhất 200,04 triệu đồng, vượt 200 triệu"


# Filters -----------------------------------------------------------------------------------------


def admits(only, **facts):
    return only.admits(technology(**facts), places(), TODAY)


def test_no_filter_admits_everything():
    assert admits(Filter())


@pytest.mark.parametrize(
    ("only", "inside", "outside"),
    [
        (Filter(kind="Quy trình"), {"kind": "quy trình công nghệ"}, {"kind": "thiết bị"}),
        (Filter(field="bảo quản"), {"fields": ("chế biến", "Bảo quản")}, {"fields": ("khác",)}),
        (Filter(product="vải"), {"products": ("nhãn", "Vải thiều")}, {"products": ("nhãn",)}),
        (Filter(trl_min=6), {"trl": 6}, {"trl": 5}),
        (Filter(price_max=200), {"cost_from": 200, "cost_to": 900}, {"cost_from": 201}),
        (Filter(price_max=0), {"cost_from": 0}, {"cost_from": 1}),
        (Filter(year_from=2020), {"year": 2020}, {"year": 2019}),
    ],
    ids=["kind", "field", "product", "trl", "price", "free", "year"],
)
def test_each_filter_admits_what_is_known_to_be_so(only, inside, outside):
    assert admits(only, **inside)
    assert not admits(only, **outside)
    assert not admits(only)  # the fact is missing: not known to be so


def test_a_filter_for_valid_offers_drops_only_what_is_known_to_have_ended():
    assert admits(Filter(valid=True))
    assert admits(Filter(valid=True), valid_until=TODAY)
    assert not admits(Filter(valid=True), valid_until=TODAY - dt.timedelta(days=1))


def test_a_product_may_stand_in_the_name_instead():
    assert admits(Filter(product="lò sấy"))


def test_filters_compare_whole_words():
    assert not admits(Filter(field="sản"), fields=("nông sảnh",))
    assert admits(Filter(field="sản"), fields=("nông sản",))


def test_a_filter_typed_without_accents_finds_words_under_any():
    assert admits(Filter(product="dua"), products=("dứa",))
    assert admits(Filter(product="dua"), products=("dừa",))


def test_a_filter_typed_with_accents_means_them():
    assert admits(Filter(product="DỨA"), products=("Dứa Queen",))
    assert not admits(Filter(product="dứa"), products=("dừa",))  # pineapple, not coconut
    assert not admits(Filter(product="dứa"), products=("dưa",))  # nor melon


def test_a_filter_in_another_spelling_of_the_same_letters_is_the_same():
    assert admits(Filter(field="hoà"), fields=("Điều hòa",))  # hoà = hòa


@pytest.mark.parametrize("word", ["", "  ", "!!!"])
def test_a_filter_without_a_word_admits_nothing(word):
    for only in (Filter(kind=word), Filter(field=word), Filter(product=word), Filter(place=word)):
        assert not admits(only)


def test_all_filters_must_hold():
    only = Filter(trl_min=6, year_from=2020)
    assert admits(only, trl=7, year=2021)
    assert not admits(only, trl=7, year=2019)
    assert not admits(only, trl=5, year=2021)


# Places: Kiên Giang went into An Giang, Bắc Giang into Bắc Ninh, on 1 July 2025 ------------------


def test_a_new_province_takes_in_its_old_parts():
    assert admits(Filter(place="An Giang"), province="Kiên Giang")
    assert admits(Filter(place="Bắc Ninh"), province="Bắc Giang")


def test_an_old_province_does_not_take_in_the_rest_of_the_new_one():
    assert admits(Filter(place="Kiên Giang"), province="Kiên Giang")
    assert not admits(Filter(place="Kiên Giang"), province="An Giang")
    assert not admits(Filter(place="Bắc Giang"), province="Bắc Ninh")
    assert not admits(Filter(place="Bắc Giang"), province="Hà Nội")


def test_the_old_part_of_a_province_that_kept_its_name_can_be_asked_for():
    assert admits(Filter(place="An Giang cũ"), places_used=("Châu Đốc, An Giang cũ",))
    assert not admits(Filter(place="An Giang cũ"), province="Kiên Giang")
    assert not admits(Filter(place="An Giang cũ"), province="An Giang")  # cannot be decided


def test_a_region_takes_in_its_provinces():
    assert admits(Filter(place="Đồng bằng sông Cửu Long"), province="Kiên Giang")
    assert not admits(Filter(place="Đồng bằng sông Cửu Long"), province="Hà Nội")


def test_places_of_use_count_like_the_owners_seat():
    seat = {"province": "Hà Nội", "places_used": ("HTX Tắc Cậu, Kiên Giang", "Cà Mau")}
    assert admits(Filter(place="Kiên Giang"), **seat)
    assert admits(Filter(place="Hà Nội"), **seat)
    assert not admits(Filter(place="Bắc Giang"), **seat)


def test_a_record_without_a_place_is_not_admitted_to_one():
    assert not admits(Filter(place="Hà Nội"))


def test_an_unknown_place_admits_nothing():
    assert not admits(Filter(place="Atlantis"), province="Hà Nội")
