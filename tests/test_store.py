import datetime as dt
import json
import multiprocessing as mp
import os
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import corpus
from corpus import database
from corpus.outcomes import Outcome
from corpus.records import Decision, Judgment, Need, Product, Technology
from corpus.store import (
    BATCH,
    EMPTY_DIGEST,
    FILE,
    Saved,
    State,
    Store,
    StoreError,
    default_folder,
    metadata,
)


def technology(number, **facts):
    return Technology(id=f"CN{number:04}", name=f"Máy sấy {number}", **facts)


def technologies(count):
    return [technology(number) for number in range(count)]


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path / "kho") as opened:
        yield opened


def raw(store):
    """A connection beside the store's own, as another program would open it."""
    connection = sqlite3.connect(store.database.folder / FILE, isolation_level=None, timeout=0.1)
    return closing(connection)


def changes(store):
    with raw(store) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM change ORDER BY revision")]


# Saving ------------------------------------------------------------------------------------------


def test_records_of_every_kind_come_back_as_saved_ordered_by_id(store):
    records = {
        Technology: [technology(2, products=("vải",)), technology(1, restricted=("detail",))],
        Product: [Product(id="SP1", name="Vải thiều")],
        Need: [Need(id="N1", product="SP1", text="giữ màu vỏ", budget=200.0)],
        Judgment: [Judgment(need="N1", technology="CN0001", grade=3)],
        Decision: [
            Decision(
                need="N1",
                technology="CN0001",
                outcome=Outcome.SIGNED,
                date=dt.date(2026, 5, 2),
            )
        ],
    }
    assert store.save([each for some in records.values() for each in some]) == Saved(6, 0, 0)
    for kind, saved in records.items():
        assert store.all(kind) == sorted(saved, key=lambda record: record.key)
        assert store.hashes(kind.kind_name) == {each.key: each.content_hash() for each in saved}
        assert [store.get(kind, each.key) for each in saved] == saved
    assert store.get(Technology, "SP1") is None


def test_an_empty_store_is_at_revision_zero(store):
    assert store.state() == State(0, EMPTY_DIGEST)
    assert store.save([]) == Saved(0, 0, 0)
    assert store.all(Technology) == []
    assert store.hashes("technology") == {}


def test_saving_twice_changes_nothing(store):
    store.save(technologies(3))
    before, log = store.state(), changes(store)
    elsewhere = [technology(number, source="khác.csv") for number in range(3)]
    assert store.save(technologies(3)) == store.save(elsewhere) == Saved(0, 0, 3)
    assert (store.state(), changes(store)) == (before, log)


def test_added_changed_and_unchanged_are_counted_apart(store):
    store.save([technology(1), technology(2)])
    assert store.save([technology(1), technology(2, trl=7), technology(3)]) == Saved(1, 1, 1)
    assert store.get(Technology, "CN0002").trl == 7
    assert store.state().revision == 2 + 1 + 1


def test_a_record_that_stands_twice_in_one_call_is_added_then_changed(store):
    assert store.save([technology(1), technology(1, trl=7), technology(1, trl=7)]) == Saved(1, 1, 1)
    assert store.get(Technology, "CN0001").trl == 7


def test_more_records_than_one_batch_are_all_saved(store):
    assert store.save(technologies(BATCH + 1)) == Saved(BATCH + 1, 0, 0)
    assert len(store.all(Technology)) == store.state().revision == BATCH + 1


def test_the_change_log_keeps_what_was_replaced_and_where_from(store):
    store.save([technology(1, source="a.csv")])
    store.save([technology(1, trl=7, source="b.csv")])
    first, second = changes(store)
    assert (first["revision"], first["action"], first["source"]) == (1, "added", "a.csv")
    assert (second["revision"], second["action"], second["source"]) == (2, "changed", "b.csv")
    assert json.loads(first["before"] or "null") is None
    assert json.loads(second["before"]) == technology(1, source="a.csv").to_json()
    assert second["hash"] == technology(1, trl=7).content_hash()


# The chain of digests ----------------------------------------------------------------------------


def test_equal_histories_have_equal_digests_wherever_they_came_from(tmp_path):
    history = [technologies(3), [technology(1, trl=7)], [technology(9)]]
    with Store.create(tmp_path / "a") as one, Store.create(tmp_path / "b") as other:
        for step in history:
            one.save(step)
        other.save([technology(number, source="x.csv") for number in range(3)])
        other.save([technology(1, trl=7), technology(9)])
        assert one.state() == other.state()
        assert one.state().revision == 3 + 1 + 1


@pytest.mark.parametrize(
    "history",
    [
        [[technology(2), technology(1)]],
        [[technology(1)]],
        [[technology(1), technology(2, trl=7)]],
        [[technology(1), technology(2)], [technology(2, trl=7)], [technology(2)]],
    ],
)
def test_other_histories_have_other_digests(store, tmp_path, history):
    store.save([technology(1), technology(2)])
    with Store.create(tmp_path / "khác") as other:
        for step in history:
            other.save(step)
        assert other.state().digest != store.state().digest


def test_digest_at_remembers_every_revision_and_knows_no_other(store):
    states = [store.state()]
    for record in (technology(1), technology(2), technology(1, trl=7)):
        store.save([record])
        states.append(store.state())
    assert [store.digest_at(state.revision) for state in states] == [
        state.digest for state in states
    ]
    assert len({state.digest for state in states}) == 4
    assert store.digest_at(4) is None


# Several at once ---------------------------------------------------------------------------------


def test_the_file_is_in_wal_mode(store):
    with raw(store) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _create_and_save(folder, writer, count, barrier):
    barrier.wait()
    with Store.create(Path(folder)) as store:
        for number in range(count):
            mine = Technology(id=f"{writer}-{number}", name="riêng")
            store.save([mine, Technology(id=f"chung-{number}", name=f"của {writer}")])


def test_two_processes_writing_at_once_lose_nothing(tmp_path):
    context, count = mp.get_context("spawn"), 20
    barrier = context.Barrier(2)
    writers = [
        context.Process(target=_create_and_save, args=(str(tmp_path), writer, count, barrier))
        for writer in ("a", "b")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    with Store.open(tmp_path) as store:
        ids = {record.id for record in store.all(Technology)}
        assert len(ids) == 3 * count
        log = changes(store)
    # Each shared record was added by one writer and changed by the other, none twice.
    assert [row["revision"] for row in log] == list(range(1, 4 * count + 1))
    assert sum(row["action"] == "added" for row in log) == 3 * count
    assert len({row["digest"] for row in log}) == 4 * count


def test_a_reader_is_not_blocked_by_an_open_write_transaction(store, monkeypatch):
    monkeypatch.setattr(database, "BUSY_MS", 100)
    store.save([technology(1)])
    state = store.state()
    with raw(store) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM record")
        with Store.open(store.database.folder) as reader:
            assert reader.all(Technology) == [technology(1)]
            assert reader.state() == state
        writer.execute("ROLLBACK")


def test_a_writer_waits_for_another_and_then_succeeds(store):
    with raw(store) as other:
        other.execute("BEGIN IMMEDIATE")
        done = []
        thread = threading.Thread(target=lambda: done.append(store.save([technology(1)])))
        thread.start()
        thread.join(0.1)
        assert done == []
        other.execute("COMMIT")
        thread.join()
    assert done == [Saved(1, 0, 0)]


def test_a_writer_that_waited_too_long_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_MS", 50)
    with Store.create(tmp_path) as store, raw(store) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="đang được tiến trình khác ghi: chờ rồi chạy lại"):
            store.save([technology(1)])
        other.execute("ROLLBACK")
        assert store.state().revision == 0


# What can go wrong -------------------------------------------------------------------------------


def test_a_missing_store_says_which_command_makes_one_and_makes_none_itself(tmp_path):
    with pytest.raises(StoreError, match=r"chưa có dữ liệu trong .*`cungcau init`.*--data"):
        Store.open(tmp_path / "trống")
    assert not (tmp_path / "trống").exists()


@pytest.mark.parametrize("name", ["dữ liệu 50% #1", "a?b=c", "a%20b", "a&b;c"])
def test_a_folder_may_have_any_name(tmp_path, name):
    with Store.create(tmp_path / name) as store:
        store.save([technology(1)])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / FILE).is_file()
    with Store.open(tmp_path / name) as store:
        assert store.all(Technology) == [technology(1)]


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(tmp_path):
    content = "không phải SQLite\n" * 500
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    for use in (Store.open, Store.create):
        with pytest.raises(StoreError, match="không phải tệp dữ liệu của Cung Cầu hoặc đã hỏng"):
            use(tmp_path)
    assert (tmp_path / FILE).read_text(encoding="utf-8") == content


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "kho").write_text("")
    with pytest.raises(StoreError, match="không dùng được dữ liệu trong"):
        Store.create(tmp_path / "kho")


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.all(Technology),
        lambda store: store.get(Technology, "CN0001"),
        lambda store: store.hashes("technology"),
        lambda store: store.state(),
        lambda store: store.digest_at(3),
        lambda store: store.save([technology(1, trl=7)]),
    ],
)
def test_a_damaged_file_is_named_whatever_is_asked_of_it(store, read):
    store.save(technologies(50))
    with raw(store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = store.database.folder / FILE
    page = 4096
    path.write_bytes(path.read_bytes()[:page] + b"\xff" * (path.stat().st_size - page))
    with pytest.raises(StoreError, match=r"cungcau\.sqlite không phải .* hoặc đã hỏng"):
        read(store)


@contextmanager
def _read_only():
    """Yield a folder that cannot be written; as root, give up root's rights for the while."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store.create(folder / "kho") as store:
            store.save([technology(1)])
        (folder / "trống").mkdir()
        for path in (folder / "kho", folder / "trống", folder):
            path.chmod(0o555)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)
            if os.access(folder / "kho", os.W_OK, effective_ids=True):
                pytest.skip("this user writes where permissions forbid it")
            if not os.access(folder / "kho" / FILE, os.R_OK, effective_ids=True):
                pytest.skip("the temporary folder is closed to unprivileged users")
            yield folder
        finally:
            os.seteuid(user)
            for path in (folder, folder / "kho", folder / "trống"):
                path.chmod(0o755)


@pytest.mark.parametrize("name", ["kho", "trống", "mới"])
def test_a_read_only_folder_says_to_check_permissions(name):
    with (
        _read_only() as folder,
        pytest.raises(StoreError, match=f"không ghi được vào .*{name}: kiểm tra quyền ghi"),
    ):
        Store.create(folder / name).save([technology(2)])


def test_a_full_disk_leaves_the_old_state_whole(store):
    store.save(technologies(20))
    before, state, log = store.all(Technology), store.state(), changes(store)

    def limit(connection, _):
        connection.execute("PRAGMA max_page_count=1")  # SQLite takes it as: not one page more

    sa.event.listen(store.database.engine, "connect", limit)
    big = [technology(number, detail="rất dài " * 2_000) for number in range(30)]
    with pytest.raises(StoreError, match=r"đã đầy: giải phóng dung lượng.*dữ liệu cũ còn nguyên"):
        store.save(big)
    assert (store.all(Technology), store.state(), changes(store)) == (before, state, log)
    sa.event.remove(store.database.engine, "connect", limit)
    assert store.save(big) == Saved(10, 20, 0)


def test_a_full_disk_while_creating_says_so(tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(StoreError, match="đã đầy"):
        Store.create(tmp_path / "kho")


def test_an_exception_in_the_middle_of_a_batch_undoes_the_batch(store):
    class Broken(Technology):
        def to_json(self):
            raise KeyboardInterrupt

    store.save([technology(1)])
    state = store.state()
    with pytest.raises(KeyboardInterrupt):
        store.save([technology(2), Broken(id="x", name="x")])
    assert store.state() == state
    assert store.all(Technology) == [technology(1)]


def test_the_work_folder_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("CUNGCAU_DATA", raising=False)
    assert default_folder() == Path("data")
    monkeypatch.setenv("CUNGCAU_DATA", "/kho/tỉnh")
    assert default_folder() == Path("/kho/tỉnh")


# Migrations --------------------------------------------------------------------------------------


def _migrate(store, step, target):
    config = Config()
    folder = Path(corpus.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    engine = sa.create_engine(
        f"sqlite:///{store.database.folder / FILE}", poolclass=sa.pool.NullPool
    )
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        step(config, target)


def _tables(store):
    with raw(store) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        return {name for (name,) in connection.execute(query)}


def test_opening_again_migrates_nothing_and_keeps_everything(store):
    store.save(technologies(5))
    state = store.state()
    _migrate(store, command.upgrade, "head")
    with Store.open(store.database.folder) as again:
        assert again.state() == state
        assert again.all(Technology) == technologies(5)


def test_migrating_a_filled_store_down_and_up_gives_a_working_empty_one(store):
    store.save(technologies(5))
    full = store.state()
    _migrate(store, command.downgrade, "base")
    assert _tables(store) == {"alembic_version"}
    with Store.open(store.database.folder) as again:
        assert _tables(store) == {"alembic_version", "record", "change", "idempotency"}
        assert again.state() == State(0, EMPTY_DIGEST)
        assert again.save(technologies(5)) == Saved(5, 0, 0)
        assert again.state() == full


def test_migrations_make_the_tables_that_the_program_expects(store):
    with store.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_of_a_newer_program_is_refused_and_left_alone(store):
    store.save([technology(1)])
    with raw(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"phiên bản mới hơn.*9999.*0002"):
        Store.open(store.database.folder)
    assert store.all(Technology) == [technology(1)]
