"""The same store on SQLite and PostgreSQL: where it is, its tables, its turns, its failures."""

import datetime as dt
import threading
from importlib import resources

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from corpus.database import located
from corpus.records import Need, Technology
from corpus.schema import metadata
from corpus.store import ConflictError, KeyReusedError, Store, StoreError
from service import ledger
from tests.small import NEEDS, TECHNOLOGIES

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


@pytest.fixture
def store(place):
    with Store.create(place) as opened:
        yield opened


def migrate(store, step, target):
    config = Config()
    scripts = str(resources.files("corpus") / "migrations")
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    with store.database.connection() as connection:
        config.attributes["connection"] = connection
        step(config, target)


def test_a_store_from_before_is_brought_up_to_date_and_keeps_its_digests(store, place):
    store.save([*TECHNOLOGIES, *NEEDS])
    state, known = store.state(), store.all(Technology)
    migrate(store, command.downgrade, "0001")
    tables = sa.inspect(store.database.engine)
    assert {each["name"] for each in tables.get_columns("change")}.isdisjoint({"actor", "at"})
    assert "idempotency" not in tables.get_table_names()
    with Store.open(place) as again:
        assert (again.state(), again.all(Technology)) == (state, known)
        assert again.digest_at(3) == store.digest_at(3)
        assert [each.actor for each in again.changes(limit=2)] == [None, None]
    with store.database.engine.connect() as connection:
        expected = [metadata, ledger.metadata]
        assert compare_metadata(MigrationContext.configure(connection), expected) == []


def test_writers_take_turns_so_that_revisions_are_a_chain(store):
    def write(name):
        for number in range(10):
            store.save([Technology(id=f"{name}{number}", name="x"), Technology(id="x", name=name)])

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    changes = store.changes(limit=1000)[::-1]
    assert [each.revision for each in changes] == list(range(1, store.state().revision + 1))
    assert len(store.all(Technology)) == 31


def test_records_are_ordered_by_the_bytes_of_their_ids(store):
    ids = ["b", "B", "đ", "a-1", "a1", "A"]
    store.save([Technology(id=key, name="x") for key in ids])
    assert [each.id for each in store.all(Technology)] == sorted(ids)


def test_an_edit_needs_what_its_editor_saw(store):
    one, two = NEEDS[0], NEEDS[0].model_copy(update={"text": "khác"})
    store.edit(one, actor="a", at="1", expected=None)
    for wrong in (None, two.content_hash()):
        with pytest.raises(ConflictError) as refusal:
            store.edit(two, actor="b", at="2", expected=wrong)
        assert refusal.value.current == one
    store.edit(two, actor="b", at="2", expected=one.content_hash())
    store.remove(Need, one.id, actor="c", at="3", expected=two.content_hash())
    story = store.history(Need, one.id)
    assert [(each.action, each.actor, each.at) for each in story] == [
        ("added", "a", "1"), ("changed", "b", "2"), ("removed", "c", "3"),
    ]  # fmt: skip
    assert [each.after for each in story] == [one.to_json(), two.to_json(), None]
    assert [each.actor for each in store.changes(kind="need", since="2", until="3")] == ["b"]
    assert store.changes(actor="") == store.changes(before=1) == []


def test_a_request_sent_twice_is_done_once(store):
    def make():
        store.edit(NEEDS[0], actor=None, at=None, expected=None)
        return 201, "xong"

    assert not store.once("k", "lan", "h", NOW, make).repeated
    again = store.once("k", "lan", "h", NOW, make)
    assert (again.status, again.body, again.repeated) == (201, "xong", True)
    with pytest.raises(KeyReusedError):
        store.once("k", "lan", "khác", NOW, make)
    assert [each.actor for each in store.history(Need, NEEDS[0].id)] == ["lan"]


def test_a_request_that_fails_leaves_nothing(store):
    def fail():
        store.edit(NEEDS[0], actor=None, at=None, expected=None)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.once("k", "lan", "h", NOW, fail)
    assert store.state().revision == 0
    assert store.once("k", "lan", "h", NOW, lambda: (200, "")).repeated is False


def test_a_folder_names_its_server(tmp_path, monkeypatch):
    monkeypatch.delenv("CUNGCAU_STORE", raising=False)
    assert located(tmp_path) == tmp_path
    (tmp_path / "store.url").write_text("postgresql://a@b/c\n")
    assert located(tmp_path) == "postgresql://a@b/c"
    monkeypatch.setenv("CUNGCAU_STORE", "postgresql://d@e/f")
    assert located(tmp_path) == "postgresql://d@e/f"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u:bimat@h/d", "chỉ dùng được với postgresql://"),
        ("bimat", "không đọc được"),
        ("postgresql://u:bimat@127.0.0.1:1/d", "không kết nối được"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_without_the_password(url, told):
    if "127" in url:
        pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=told) as refusal:
        Store.open(url)
    assert "bimat" not in str(refusal.value)


def test_an_empty_database_is_no_store_until_one_is_made(place):
    with pytest.raises(StoreError, match="cungcau init"):
        Store.open(place)
