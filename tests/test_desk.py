"""What people do at the desk: every verb, what it leaves behind, and who is refused what."""

import datetime as dt

import pytest

from corpus.outcomes import Outcome
from corpus.records import Decision, Need, Product, Technology
from corpus.store import Store
from corpus.workflow import Listed, MatchList, Status, withdrawn
from service.contract import ApiError
from service.desk import Desk, Person, StaleError
from tests.small import NEEDS, PRODUCTS, TECHNOLOGIES

NOW = dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC)  # already the 25th in Vietnam
TODAY = dt.date(2026, 11, 25)
ONE, TWO = Listed(technology="CN-1", need="N-1", found_rank=4), Listed(technology="CN-2")


def clock():
    return NOW


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path) as opened:
        opened.save([*TECHNOLOGIES, *PRODUCTS, *NEEDS])
        yield opened


def desk(store, login="lan", role="broker", nda=False):
    return Desk(store, Person(login, login.title(), role, nda), clock)


def etag(record):
    return record.content_hash()


def refused(status, code):
    def fits(error):
        return (error.status, error.code) == (status, code)

    return pytest.raises(ApiError, check=fits)


@pytest.fixture
def started(store):
    return desk(store).start_list(
        "Vải sấy", product="SP-1", items=[ONE, TWO], index_version="i7", model_version="m1"
    )


def test_a_list_is_started_with_an_id_an_owner_and_the_day_in_vietnam(store, started):
    assert (started.id, started.owner, started.created) == ("DS-0001", "lan", TODAY)
    assert [each.rank for each in started.items] == [1, 2]
    assert desk(store).start_list("Khác").id == "DS-0002"
    (change,) = store.history(MatchList, "DS-0001")
    assert (change.action, change.actor) == ("added", "lan")
    assert change.at == "2026-11-24T20:00:00+00:00"
    assert change.after == started.to_json()


def test_lines_are_added_ordered_noted_and_taken_off(store, started):
    mine = desk(store)
    found = mine.add("DS-0001", etag(started), [Listed(technology="CN-3")])
    found = mine.order("DS-0001", etag(found), [("CN-3", None), ("CN-1", "N-1"), ("CN-2", None)])
    assert [(each.technology, each.rank) for each in found.items] == [
        ("CN-3", 1), ("CN-1", 2), ("CN-2", 3),
    ]  # fmt: skip
    found = mine.note_item("DS-0001", etag(found), ("CN-1", "N-1"), "gọi chiều thứ năm")
    assert found.items[1].note == "gọi chiều thứ năm"
    found = mine.remove_item("DS-0001", etag(found), ("CN-3", None))
    assert [each.pair for each in found.items] == [("CN-1", "N-1"), ("CN-2", None)]
    assert mine.match_list("DS-0001") == found
    assert len(store.history(MatchList, "DS-0001")) == 5


def test_the_second_of_two_who_order_at_once_is_told_and_shown_what_is(store, started):
    pairs = [("CN-2", None), ("CN-1", "N-1")]
    mine = desk(store)
    shared = mine.share("DS-0001", etag(started), ["minh"])
    first = desk(store, "minh").order("DS-0001", etag(shared), pairs)
    with pytest.raises(StaleError, match="đã được người khác sửa") as refusal:
        mine.order("DS-0001", etag(shared), pairs[::-1])
    assert (refusal.value.status, refusal.value.code) == (412, "stale_etag")
    assert refusal.value.current == first == mine.match_list("DS-0001")


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("add", [[Listed(technology="CN-9")]]),
        ("add", [[Listed(technology="CN-3", need="N-9")]]),
        ("order", [[("CN-1", "N-1")]]),
        ("order", [[("CN-1", "N-1"), ("CN-1", "N-1")]]),
        ("remove_item", [("CN-1", None)]),
        ("rename", [""]),
        ("rename", ["x" * 301]),
        ("hand_over", [TODAY + dt.timedelta(1)]),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(store, started, verb, arguments):
    before = store.state()
    with refused(422, "invalid"):
        getattr(desk(store), verb)("DS-0001", etag(started), *arguments)
    assert store.state() == before


def test_a_line_that_is_there_already_is_refused(store, started):
    with refused(409, "exists"):
        desk(store).add("DS-0001", etag(started), [TWO])


def test_a_list_of_somebody_else_is_not_there_for_a_broker(store, started):
    other = desk(store, "minh")
    for key in ("DS-0001", "DS-0009"):
        with refused(404, "unknown_id"):
            other.match_list(key)
        with refused(404, "unknown_id"):
            other.rename(key, etag(started), "của tôi")
    assert other.lists(everybody=True) == () == other.lists_with("CN-1")


def test_an_officer_sees_every_list_and_changes_those_shared(store, started):
    officer = desk(store, "hoa", "officer")
    assert officer.match_list("DS-0001") == started
    assert officer.lists() == ()
    assert officer.lists(everybody=True) == officer.lists_with("CN-1") == (started,)
    with refused(403, "not_allowed"):
        officer.rename("DS-0001", etag(started), "x")
    shared = desk(store).share("DS-0001", etag(started), ["hoa"])
    renamed = officer.rename("DS-0001", etag(shared), "Sấy vải")
    with refused(403, "not_allowed"):
        officer.share("DS-0001", etag(renamed), ["hoa", "bạn"])


def test_a_reader_keeps_no_lists_and_decides_nothing(store, started):
    reader = desk(store, "an", "reader")
    for act in (
        lambda: reader.start_list("x"),
        lambda: reader.decide("CN-1", Outcome.SIGNED, need="N-1"),
        lambda: reader.decisions(),
        lambda: reader.state_need("SP-1", "x"),
    ):
        with refused(403, "not_allowed"):
            act()


def test_a_list_handed_over_stays_until_it_is_reopened(store, started):
    mine = desk(store)
    handed = mine.hand_over("DS-0001", etag(started))
    assert (handed.status, handed.handed_over) == (Status.HANDED_OVER, TODAY)
    with refused(409, "handed_over"):
        mine.rename("DS-0001", etag(handed), "x")
    mine.decide("CN-1", Outcome.CONTACTED, list_id="DS-0001")
    again = mine.reopen("DS-0001", etag(handed))
    assert (again.status, again.handed_over) == (Status.DRAFT, None)


def test_a_record_withdrawn_while_it_is_listed_is_marked(store, started):
    officer = desk(store, "hoa", "officer")
    officer.withdraw_technology("CN-2", etag(store.get(Technology, "CN-2")))
    mine = desk(store)
    assert mine.gone(started) == {"CN-2"}
    handed = mine.hand_over("DS-0001", etag(started))
    assert [each.withdrawn for each in handed.items] == [False, True]
    assert store.history(Technology, "CN-2")[-1].before["name"] == TECHNOLOGIES[1].name


def test_a_reason_read_with_the_right_to_nda_parts_is_not_kept(store):
    items = [Listed(technology=key, reason="giá 900 triệu") for key in ("CN-8", "CN-1")]
    kept = desk(store, nda=True).start_list("a", items=items).items
    assert [each.reason for each in kept] == ["", "giá 900 triệu"]


def test_a_decision_takes_from_its_list_what_is_not_said(store, started):
    made = desk(store).decide("CN-1", "đã liên hệ", list_id="DS-0001", next_step="gửi báo giá",
                              next_date=TODAY + dt.timedelta(3))  # fmt: skip
    assert (made.need, made.rank, made.index_version, made.model_version, made.list) == (
        "N-1", 4, "i7", "m1", "DS-0001",
    )  # fmt: skip
    assert (made.by, made.date) == ("lan", TODAY)
    with refused(409, "exists"):
        desk(store).decide("CN-1", "đã liên hệ", list_id="DS-0001")
    with refused(422, "invalid"):  # it stands there for no need, and the list is for none
        desk(store).decide("CN-2", "đã liên hệ", list_id="DS-0001")


@pytest.mark.parametrize(
    "facts",
    [
        {"date": TODAY + dt.timedelta(1)},
        {"next_date": TODAY},
        {"next_step": "gọi", "next_date": TODAY - dt.timedelta(1)},
        {"need": "N-9"},
        {"need": None},
        {"outcome": "xong"},
        {"reason": "x" * 20_001},
        {"reason": "\ud800"},
        {"rank": 0},
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(store, facts):
    given = {"technology": "CN-1", "outcome": "từ chối", "need": "N-1", **facts}
    with refused(422, "invalid"):
        desk(store).decide(**given)
    assert store.all(Decision) == []


def test_who_was_contacted_is_known_to_all_brokers_but_not_on_which_hidden_list(store, started):
    desk(store).decide("CN-1", Outcome.REJECTED, list_id="DS-0001", reason="giá cao")
    (seen,) = desk(store, "minh").decisions(technology="CN-1")
    assert (seen.outcome, seen.reason, seen.list) == (Outcome.REJECTED, "giá cao", None)
    (own,) = desk(store).contact_log("DS-0001")
    assert own.list == "DS-0001"
    with refused(404, "unknown_id"):
        desk(store, "minh").contact_log("DS-0001")
    with refused(403, "not_allowed"):
        desk(store, "minh").amend(own.key, etag(own), reason="khác")


def test_a_next_step_is_due_until_it_is_done_or_the_pair_is_decided_again(store, started):
    mine, friday = desk(store), TODAY + dt.timedelta(2)
    first = mine.decide("CN-1", Outcome.SHORTLISTED, list_id="DS-0001", next_step="gọi",
                        next_date=friday)  # fmt: skip
    assert mine.due(friday) == (first,)
    assert mine.due(friday - dt.timedelta(1)) == ()
    assert desk(store, "minh").due(friday) == ()
    assert desk(store, "hoa", "officer").due(friday, everybody=True) == (first,)
    later = mine.decide("CN-1", Outcome.CONTACTED, need="N-1", next_step="ký", next_date=friday)
    assert mine.due(friday) == (later,)
    mine.next_step(later.key, etag(later), None)
    assert mine.due(friday) == ()


def test_a_need_is_stated_changed_and_withdrawn(store):
    officer = desk(store, "hoa", "officer")
    need = officer.state_need("SP-1", "Sấy nhanh hơn", budget=300)
    assert (need.id, need.date) == ("NC-0001", TODAY)
    need = officer.change_need(need.id, etag(need), budget=None, stage="chế biến")
    assert (need.budget, need.stage) == (None, "chế biến")
    need = officer.withdraw_need(need.id, etag(need), "đã mua máy")
    assert withdrawn(need)
    assert withdrawn(store.get(Need, need.id))
    with refused(409, "exists"):
        officer.withdraw_need(need.id, etag(need))
    assert [each.action for each in officer.need_history(need.id)] == ["added"] + ["changed"] * 2
    with refused(422, "invalid"):
        desk(store).start_list("x", items=[Listed(technology="CN-1", need=need.id)])


@pytest.mark.parametrize("facts", [{"id": "N-1"}, {"lạ": 1}, {"budget": -1}, {"trl_min": "x"}])
def test_a_need_with_a_wrong_fact_is_refused(store, facts):
    with refused(422, "invalid"):
        desk(store, "hoa", "officer").state_need("SP-1", "Sấy", **facts)
    with refused(422, "invalid"):
        desk(store, "hoa", "officer").change_need("N-1", etag(store.get(Need, "N-1")), **facts)


def test_a_kept_search_is_its_owners_alone(store):
    kept = desk(store).save_search("Sấy", "q=s%E1%BA%A5y", ["CN-1"], "i7")
    assert desk(store).searches() == (kept,)
    assert desk(store, "hoa", "administrator").searches() == ()
    for act in ("search", "searched", "forget_search"):
        more = {"search": (), "searched": (etag(kept), [], "i8"), "forget_search": (etag(kept),)}
        with refused(404, "unknown_id"):
            getattr(desk(store, "minh"), act)(kept.id, *more[act])
    kept = desk(store).searched(kept.id, etag(kept), ["CN-1", "CN-3"], "i8")
    assert kept.seen == ("CN-1", "CN-3")
    desk(store).forget_search(kept.id, etag(kept))
    assert desk(store).searches() == ()
    assert desk(store).save_search("b", "q=b").id == "TK-0002"  # an id is never given twice


def test_a_busy_store_is_told_as_unavailable(store, monkeypatch, tmp_path):
    monkeypatch.setattr("corpus.database.BUSY_MS", 50)
    with Store.open(tmp_path) as other, other.writing(), refused(503, "store_unavailable"):
        desk(store_again(tmp_path)).start_list("x")


def store_again(folder):
    return Store.open(folder)


def test_products_are_what_needs_are_stated_for(store):
    with refused(422, "invalid"):
        desk(store, "hoa", "officer").state_need("SP-9", "Sấy")
    assert store.get(Product, "SP-9") is None
