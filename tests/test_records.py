import datetime as dt
import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpus.outcomes import Outcome, ReasonKind
from corpus.records import (
    KINDS,
    MAX_CELL,
    PUBLIC,
    RESTRICTABLE,
    UNDER_NDA,
    Decision,
    Judgment,
    Need,
    Product,
    Technology,
)
from corpus.text import normalise

CALM = settings(deadline=None)
LINES = st.text(max_size=20)
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))
FULL = {
    "detail": "Sấy bơm nhiệt ở 45 độ",
    "effect": "Giảm 30% điện",
    "conditions": "Có điện ba pha",
    "contact": "0900 000 000",
    "places_used": ("Lào Cai", "Sơn La"),
    "cost_from": 120.0,
    "cost_to": 300.0,
}


def technology(**facts):
    return Technology.model_validate({"id": "CN1", "name": "Máy sấy", **facts})


def problems(error):
    return {".".join(map(str, each["loc"])) for each in error.value.errors()}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": " \u200b "}, "id"),
        ({"id": "x" * 101}, "id"),
        ({"name": "  "}, "name"),
        ({"trl": 12}, "trl"),
        ({"trl": 0}, "trl"),
        ({"cost_from": "abc"}, "cost_from"),
        ({"cost_from": -1}, "cost_from"),
        ({"cost_to": float("nan")}, "cost_to"),
        ({"cost_to": float("inf")}, "cost_to"),
        ({"valid_until": "2025-02-31"}, "valid_until"),
        ({"year": 1066}, "year"),
        ({"detail": "a" * (MAX_CELL + 1)}, "detail"),
        ({"products": [["vải"]]}, "products.0"),
        ({"products": [{"a": 1}]}, "products.0"),
        ({"products": 3}, "products"),
        ({"colour": "đỏ"}, "colour"),
        ({"summary": "lone \ud800 surrogate"}, "summary"),
    ],
)
def test_a_bad_value_is_refused_and_its_field_named(facts, field):
    with pytest.raises(ValidationError) as error:
        technology(**facts)
    assert problems(error) == {field}


def test_limits_themselves_are_allowed():
    record = technology(id="x" * 100, trl=9, cost_from=0, cost_to=0, detail="a" * MAX_CELL)
    assert (len(record.id), record.trl, record.cost_from) == (100, 9, 0.0)
    assert len(record.detail) == MAX_CELL


def test_lowest_cost_above_highest_is_refused_with_both_numbers():
    with pytest.raises(ValidationError, match=r"300.*120"):
        technology(cost_from=300, cost_to=120)
    assert technology(cost_from=120, cost_to=120).cost_to == 120


def test_only_listed_parts_may_be_restricted():
    with pytest.raises(ValidationError, match="name, summary"):
        technology(restricted="summary; detail; name")


@pytest.mark.parametrize("grade", [-1, 4, 1.5, "tốt", None])
def test_a_grade_is_a_whole_number_from_0_to_3(grade):
    with pytest.raises(ValidationError):
        Judgment.model_validate({"need": "N1", "technology": "CN1", "grade": grade})


def test_a_need_needs_a_product_and_a_text():
    with pytest.raises(ValidationError) as error:
        Need.model_validate({"id": "N1", "text": ""})
    assert problems(error) == {"product", "text"}


def test_records_are_frozen():
    record = technology()
    with pytest.raises(ValidationError, match="frozen"):
        record.name = "khác"
    assert record.name == "Máy sấy"


def test_text_is_normalised_on_the_way_in():
    decomposed = unicodedata.normalize("NFD", "Hoà  tan nƣớc")
    record = technology(name=decomposed, fields=[decomposed], extra={decomposed: decomposed})
    assert record.name == "Hòa tan nước"
    assert record.fields == ("Hòa tan nước",)
    assert record.extra == {"Hòa tan nước": "Hòa tan nước"}


def test_lists_are_split_at_semicolons_without_blanks_and_repeats():
    record = technology(products=" vải; nhãn;; vải ;\u200b; hoà; hòa", stages=None)
    assert record.products == ("vải", "nhãn", "hòa")
    assert record.stages == ()


def test_missing_facts_are_none_or_empty_never_zero():
    record = technology()
    assert (record.trl, record.cost_from, record.lowest_cost, record.products) == (
        None,
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("low", "high", "lowest"), [(120, 300, 120), (None, 300, 300), (0, 300, 0), (120, None, 120)]
)
def test_lowest_cost_is_the_lower_of_those_stated(low, high, lowest):
    assert technology(cost_from=low, cost_to=high).lowest_cost == lowest


@pytest.mark.parametrize("part", RESTRICTABLE)
def test_public_hides_exactly_the_restricted_part(part):
    record = technology(**FULL, restricted=part)
    shown = record.public()
    assert getattr(record, part) == FULL[part]
    assert shown.visibility(part) == UNDER_NDA
    for other, value in FULL.items():
        expected = Technology.model_fields[part].default if other == part else value
        assert getattr(shown, other) == expected
        assert (shown.visibility(other) == PUBLIC) == (other != part)


def test_public_shows_nothing_of_any_restricted_text():
    secret = {**FULL, "detail": "bí mật", "cost_from": 1.0, "cost_to": 2.0}
    one = technology(**FULL, restricted=RESTRICTABLE).public()
    other = technology(**secret, restricted=RESTRICTABLE).public()
    assert one.to_json() == other.to_json()
    assert one.content_hash() == other.content_hash()
    assert one.lowest_cost is None


def test_public_of_an_open_record_is_the_record():
    record = technology(**FULL)
    assert record.public() is record


def test_content_hash_ignores_where_the_record_was_read():
    assert (
        technology(source="a.xlsx").content_hash()
        == technology(source="b.csv").content_hash()
        == technology().content_hash()
    )


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "Máy sấy 2"},
        {"trl": 7},
        {"products": ("vải",)},
        {"extra": {"Ghi chú": "a"}},
        {"restricted": ("detail",)},
        {"illustrative": True},
    ],
)
def test_content_hash_changes_with_every_fact(facts):
    assert technology(**facts).content_hash() != technology().content_hash()


def test_content_hash_does_not_depend_on_the_order_in_which_facts_came():
    one = technology(trl=7, year=2024, extra={"a": "1", "b": "2"})
    other = technology(extra={"b": "2", "a": "1"}, year=2024, trl=7)
    assert one.content_hash() == other.content_hash()


def test_the_key_of_a_judgment_cannot_be_mistaken():
    one = Judgment(need="N 1", technology="CN1", grade=2)
    other = Judgment(need="N", technology="1\tCN1", grade=2)
    assert one.key == "N 1\tCN1"
    assert other.key == "N\t1 CN1"


def decision(**facts):
    pair = {"need": "N1", "technology": "CN1", "date": dt.date(2026, 5, 2)}
    return Decision.model_validate({**pair, "outcome": Outcome.CONTACTED, **facts})


def test_a_pair_may_have_many_decisions_and_one_of_a_kind_a_day():
    first = decision()
    assert first.key == "N1\tCN1\t2026-05-02\tđã liên hệ"
    others = (decision(outcome=Outcome.SIGNED), decision(date=dt.date(2026, 5, 3)))
    assert len({each.key for each in (first, *others)}) == 3
    assert decision(reason="gọi lại").key == first.key


def test_a_decision_is_stored_in_vietnamese_and_named_in_english():
    assert decision(outcome="từ chối").outcome is Outcome.REJECTED
    assert decision(outcome=unicodedata.normalize("NFD", "từ chối")).outcome is Outcome.REJECTED
    assert decision(reason_kind="bên cung").to_json()["reason_kind"] == "bên cung"


@pytest.mark.parametrize(
    "facts", [{"outcome": "xong"}, {"rank": 0}, {"reason_kind": "?"}, {"date": None}]
)
def test_a_decision_outside_the_lists_is_refused(facts):
    with pytest.raises(ValidationError):
        decision(**facts)


def test_kinds_are_named_as_their_records_say():
    assert {name: kind.kind_name for name, kind in KINDS.items()} == {
        name: name
        for name in ("technology", "product", "need", "judgment", "decision", "proposal", "task")
    }


@CALM
@given(
    st.builds(
        dict,
        id=st.text(st.sampled_from("CN-0 aà"), min_size=1, max_size=9).filter(normalise),
        name=LINES.filter(normalise),
        detail=st.none() | LINES,
        products=st.lists(LINES, max_size=3),
        trl=st.none() | st.integers(1, 9),
        cost_from=st.none() | st.floats(0, 1e9),
        valid_until=st.none() | DAYS,
        restricted=st.lists(st.sampled_from(RESTRICTABLE), max_size=3),
        extra=st.dictionaries(LINES, LINES, max_size=2),
        source=st.none() | LINES,
    )
)
def test_a_technology_survives_json(facts):
    record = Technology.model_validate(facts)
    back = Technology.model_validate(json.loads(json.dumps(record.to_json(), ensure_ascii=False)))
    assert back == record
    assert back.content_hash() == record.content_hash()


@pytest.mark.parametrize(
    "record",
    [
        Product(id="SP1", name="Vải thiều", aliases=("vải",), lists=("quốc gia", "OCOP")),
        Need(id="N1", product="SP1", text="giữ màu", budget=200.0, date=dt.date(2025, 3, 1)),
        Judgment(need="N1", technology="CN1", grade=3),
        Decision(
            need="N1",
            technology="CN1",
            outcome=Outcome.REJECTED,
            date=dt.date(2026, 5, 2),
            reason_kind=ReasonKind.PRICE,
            rank=3,
        ),
    ],
    ids=lambda record: record.kind_name,
)
def test_every_other_kind_survives_json(record):
    assert type(record).model_validate(json.loads(json.dumps(record.to_json()))) == record
