"""Technologies read when they are looked at say what the store says, to the public no more."""

import msgspec
import pytest
from small import TECHNOLOGIES

from corpus import held
from corpus.held import Facts, Held, facts_of
from corpus.records import UNDER_NDA, Technology
from corpus.store import Store

NAMES = (*(each.name for each in msgspec.structs.fields(Facts)), "lowest_cost")


def outline(record):
    return {name: getattr(record, name) for name in NAMES if name != "restricted"}


@pytest.fixture(scope="module")
def stored(sample_workspace, tmp_path_factory):
    """The sample's records, one of them with everything hidden that may be, as they are stored."""
    with Store.open(sample_workspace.folder) as sample:
        supply = sample.all(Technology)
    with Store.create(tmp_path_factory.mktemp("held")) as store:
        store.save(supply)
        secret = {"cost_from": 1.0, "cost_to": 2.0, "places_used": ("Bắc Ninh",), "detail": "mật"}
        hidden = {"restricted": ("cost_from", "cost_to", "places_used", "detail")}
        store.save([supply[0].model_copy(update={**secret, **hidden})])
        yield store


@pytest.mark.parametrize("public", [False, True])
def test_facts_are_those_of_the_record_as_it_may_be_seen(stored, public):
    known = {each.id: each.public() if public else each for each in stored.all(Technology)}
    found = Held(stored.bodies(Technology), public)
    assert list(found) == list(known) and dict(found) == known
    assert {key: outline(each) for key, each in facts_of(found).items()} == {
        key: outline(each) for key, each in known.items()
    }
    hidden = next(each for each in known.values() if each.visibility("cost_to") == UNDER_NDA)
    assert (facts_of(found)[hidden.id].lowest_cost is None) == public


def test_changes_are_seen_and_what_was_read_before_stays_as_it_was():
    first, second, third = TECHNOLOGIES[:3]
    before = Held({each.id: each.model_dump_json().encode() for each in (first, second)}, True)
    assert before[first.id] == first
    dearer = first.model_copy(update={"cost_to": 900.0, "province": "Cà Mau"})
    after = before.changed([dearer, third], frozenset({second.id}))
    assert dict(after) == {first.id: dearer, third.id: third}
    assert after.facts[first.id].province == "Cà Mau"
    assert before[first.id] == first and second.id in before and second.id not in after
    with pytest.raises(KeyError):
        after[second.id]


def test_few_records_stay_read(monkeypatch):
    monkeypatch.setattr(held, "KEPT", 1)
    found = Held({each.id: each.model_dump_json().encode() for each in TECHNOLOGIES[:2]}, False)
    one, other = found
    kept = found[one]
    assert found[one] is kept
    assert found[other] and found[one] is not kept
