"""A copy of a store taken while others write is one moment, and comes back on either database."""

import gzip
import threading

import argon2
import pytest

from corpus.records import Technology
from corpus.store import Store, StoreError
from service.accounts import Accounts
from service.backup import backup, restore
from service.ledger import Ledger
from service.tokens import Tokens
from tests.small import NEEDS, PRODUCTS, TECHNOLOGIES


def test_a_store_comes_back_as_it_was(place, tmp_path):
    with Store.create(place) as store:
        store.save([*TECHNOLOGIES, *PRODUCTS, *NEEDS])
        old = store.get(Technology, "CN-1")
        store.remove(Technology, "CN-1", actor="lan", at="2026", expected=old.content_hash())
        state = backup(store, tmp_path / "a.gz")
        assert state == store.state()
        history = store.history(Technology, "CN-1")
    assert restore(tmp_path / "a.gz", tmp_path / "mới") == state
    with Store.open(tmp_path / "mới") as again:
        assert again.all(Technology) == sorted(TECHNOLOGIES[1:], key=lambda each: each.id)
        assert again.history(Technology, "CN-1") == history
    assert restore(tmp_path / "a.gz", place, force=True) == state


def test_a_copy_taken_while_somebody_writes_is_one_moment(place, tmp_path):
    stop = threading.Event()

    def write(store):
        number = 0
        while not stop.is_set():
            number += 1
            store.save(
                [Technology(id=f"A{number}", name="x"), Technology(id="B", name=f"{number}")]
            )

    with Store.create(place) as store:
        store.save(TECHNOLOGIES)
        writer = threading.Thread(target=write, args=(store,))
        writer.start()
        try:
            states = [backup(store, tmp_path / f"{number}.gz") for number in range(5)]
        finally:
            stop.set()
            writer.join()
        for number, state in enumerate(states):
            assert store.digest_at(state.revision) == state.digest
            assert restore(tmp_path / f"{number}.gz", tmp_path / f"kho{number}") == state


def test_a_store_with_data_is_kept_unless_forced(tmp_path):
    with Store.create(tmp_path / "a") as store:
        store.save(TECHNOLOGIES[:1])
        backup(store, tmp_path / "a.gz")
    with Store.create(tmp_path / "b") as store:
        store.save(TECHNOLOGIES[:3])
        with pytest.raises(StoreError, match=r"đã có dữ liệu.*--force"):
            restore(tmp_path / "a.gz", tmp_path / "b")
        assert len(store.all(Technology)) == 3
        restore(tmp_path / "a.gz", tmp_path / "b", force=True)
        assert len(store.all(Technology)) == 1


@pytest.mark.parametrize("damage", ["cut", "text", "changed", "lost"])
def test_a_damaged_copy_is_refused_and_the_store_stays(tmp_path, damage):
    with Store.create(tmp_path / "a") as store:
        store.save(TECHNOLOGIES)
        backup(store, tmp_path / "a.gz")
    with gzip.open(tmp_path / "a.gz", "rt", encoding="utf-8") as copy:
        lines = copy.readlines()
    rows = [number for number, line in enumerate(lines) if '"table": "record"' in line]
    if damage == "cut":
        lines = lines[:-1]
    elif damage == "changed":
        hashed = next(n for n, line in enumerate(lines) if '"table": "change"' in line)
        lines[hashed] = lines[hashed].replace('"action": "added"', '"action": "edited"')
    elif damage == "lost":
        del lines[rows[0]]
    with gzip.open(tmp_path / "a.gz", "wt", encoding="utf-8") as out:
        out.writelines(lines)
    if damage == "text":
        (tmp_path / "a.gz").write_text("xin chào")
    with Store.open(tmp_path / "a") as store:
        before = store.state()
        with pytest.raises(StoreError, match=r"hỏng|cắt cụt"):
            restore(tmp_path / "a.gz", tmp_path / "a", force=True)
        assert (store.state(), len(store.all(Technology))) == (before, len(TECHNOLOGIES))


def test_accounts_come_back_and_the_audit_goes_on_counting(place, tmp_path):
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def opened(where):
        ledger = Ledger(where)
        return ledger, Accounts(ledger, quick), Tokens(ledger)

    with Store.create(tmp_path / "cũ") as store:
        ledger, accounts, tokens = opened(tmp_path / "cũ")
        accounts.add("sep", "Sếp", "administrator", "một câu dài dễ nhớ")
        accounts.add("lan", "Lan", "officer", "một câu dài dễ nhớ", nda=True)
        _, secret = tokens.issue("lan", "máy", "write")
        said = ledger.entries()
        backup(store, tmp_path / "a.gz")
    ledger.close()
    restore(tmp_path / "a.gz", place)
    ledger, accounts, tokens = opened(place)
    assert ledger.entries() == said
    assert accounts.check("lan", "một câu dài dễ nhớ").nda
    assert tokens.holder(secret).person.login == "lan"
    accounts.set_disabled("lan", True, actor="sep")  # on PostgreSQL the counter must be put forward
    assert ledger.entries(limit=1)[0].id > max(each.id for each in said)
    ledger.close()
