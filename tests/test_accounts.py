"""Accounts, passwords, tokens, sessions, failed logins, and the audit of it all."""

import datetime as dt
import hashlib
import stat
import threading
import unicodedata

import argon2
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from corpus.store import Store, StoreError
from service import ledger as ledger_module
from service.accounts import checked_password
from service.ledger import LedgerError, moment, stamp
from service.limits import wait_after
from service.register import Refused, Register
from service.roles import ADMIN, NDA, READ, WRITE_NEEDS, may
from service.sessions import signing_key

QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "một câu dài dễ nhớ"
NOON = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


class Clock:
    """A clock that tests turn."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def passes(self, **time):
        self.now += dt.timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def register(tmp_path, clock):
    with Store.create(tmp_path):
        pass
    made = Register(tmp_path, clock, QUICK)
    made.accounts.add("sep", "Nguyễn Văn Sếp", "administrator", PASSWORD)
    made.accounts.add("lan", "Trần Thị Lan", "officer", PASSWORD, nda=True)
    yield made
    made.close()


def log_in(register, login="lan", password=PASSWORD, address="10.0.0.1"):
    return register.log_in(login, password, address)


# Accounts ----------------------------------------------------------------------------------------


def test_an_account_is_a_person(register):
    person = register.accounts.get("lan").person
    assert (person.login, person.name, person.role, person.nda) == (
        "lan",
        "Trần Thị Lan",
        "officer",
        True,
    )
    assert [each.login for each in register.accounts.all()] == ["lan", "sep"]
    assert may(register.accounts.get("sep").person, NDA)


@pytest.mark.parametrize("login", ["", "a", "Lan Anh", "lân", "-lan", "a" * 41, "lan\n1", "<b>"])
def test_what_is_no_login_is_refused(register, login):
    with pytest.raises(LedgerError, match="không hợp lệ"):
        register.accounts.add(login, "X", "reader", PASSWORD)


def test_a_login_is_taken_once_in_any_case(register):
    with pytest.raises(LedgerError, match="đã có tài khoản 'lan'"):
        register.accounts.add("LAN", "X", "reader", PASSWORD)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ngắn quá", "từ 10 đến 200"),
        ("x" * 201, "từ 10 đến 200"),
        ("aaaaaaaaabbb", "quá đơn giản"),
        ("xinchao-LAN-2026", "tên đăng nhập"),
    ],
)
def test_weak_passwords_are_refused(register, password, why):
    with pytest.raises(LedgerError, match=why):
        register.accounts.set_password("lan", password)
    with pytest.raises(LedgerError, match=why):
        register.accounts.add("lan", "X", "reader", password)


def test_two_keyboards_type_one_password(register):
    decomposed = unicodedata.normalize("NFD", PASSWORD)
    assert decomposed != PASSWORD
    assert register.accounts.check("lan", decomposed).login == "lan"


@given(st.text(min_size=10, max_size=200))
def test_what_is_accepted_is_typed_the_same_again(password):
    try:
        typed = checked_password(password, "người khác hẳn")
    except LedgerError:
        return
    assert checked_password(typed, "người khác hẳn") == typed


def test_passwords_are_argon2id_and_nowhere_else(register, tmp_path):
    with register.ledger.transaction() as connection:
        row = connection.execute(sa.select(ledger_module.account_table)).first()
    assert row.password_hash.startswith("$argon2id$")
    register.close()
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


def test_the_recommended_parameters_come_with_the_next_login(register):
    slower = argon2.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    register.accounts._hasher = slower
    assert register.accounts.check("lan", PASSWORD)
    with register.ledger.transaction() as connection:
        kept = connection.execute(
            sa.select(ledger_module.account_table.c.password_hash).where(
                ledger_module.account_table.c.login == "lan"
            )
        ).scalar()
    assert not slower.check_needs_rehash(kept)
    assert register.accounts.check("lan", PASSWORD)


def test_the_first_account_administrates(tmp_path):
    with Store.create(tmp_path):
        pass
    first = Register(tmp_path, hasher=QUICK)
    with pytest.raises(LedgerError, match="đầu tiên phải là quản trị"):
        first.accounts.add("lan", "Lan", "officer", PASSWORD)
    assert first.accounts.all() == []


def test_somebody_always_administrates(register):
    for leave in (
        lambda: register.accounts.set_disabled("sep", True),
        lambda: register.accounts.change("sep", role="reader"),
    ):
        with pytest.raises(LedgerError, match="quản trị duy nhất"):
            leave()
    register.accounts.change("lan", role="administrator")
    register.accounts.set_disabled("sep", True)
    assert register.accounts.has_administrator()


def test_unknown_accounts_and_roles_are_told(register):
    with pytest.raises(LedgerError, match="không có tài khoản 'ai'"):
        register.accounts.change("ai", name="X")
    with pytest.raises(LedgerError, match="reader, officer, broker, administrator"):
        register.accounts.change("lan", role="vua")
    with pytest.raises(LedgerError, match="điều khiển"):
        register.accounts.change("lan", name="a\x00b")


def test_without_a_database_there_is_no_account(tmp_path):
    empty = Register(tmp_path / "không có")
    assert not empty.any()
    assert empty.by_token("cc_a_b") is None
    with pytest.raises(StoreError, match="cungcau init"):
        empty.accounts.all()


def test_a_first_account_is_noticed_and_a_broken_database_is_not_none(tmp_path, monkeypatch):
    monkeypatch.setattr("service.register.LOOK_EVERY", 0.0)
    with Store.create(tmp_path):
        pass
    near = Register(tmp_path, hasher=QUICK)
    assert not near.any()
    Register(tmp_path, hasher=QUICK).accounts.add("sep", "S", "administrator", PASSWORD)
    assert near.any()
    for path in tmp_path.iterdir():
        path.write_bytes(b"x" * 8192)
    with pytest.raises(StoreError):
        Register(tmp_path).any()


# Logging in --------------------------------------------------------------------------------------


def test_a_login_begins_a_session(register):
    cookie = log_in(register)
    asked = register.by_session(cookie)
    assert (asked.person.login, asked.way, asked.writes) == ("lan", "session", True)
    assert log_in(register, " LAN ") != cookie
    assert len(asked.csrf) == 64


@pytest.mark.parametrize(
    ("login", "password"),
    [("lan", "sai mật khẩu rồi"), ("ai", PASSWORD), ("khoa", PASSWORD), ("lan", "x" * 100_000)],
)
def test_who_does_not_get_in_learns_nothing(register, login, password, monkeypatch):
    register.accounts.add("khoa", "Khóa", "reader", PASSWORD)
    register.accounts.set_disabled("khoa", True)
    verified = []
    plainly = argon2.PasswordHasher.verify
    monkeypatch.setattr(
        argon2.PasswordHasher,
        "verify",
        lambda self, kept, typed: (verified.append(1), plainly(self, kept, typed))[1],
    )
    assert log_in(register, login, password) == Refused(0)
    assert len(verified) == 1  # the time of one hash, whoever it was


def test_waits_double_up_to_a_quarter_of_an_hour():
    waits = [wait_after(failures, 5) for failures in range(4, 15)]
    assert waits == [0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert wait_after(10**6, 5) == 900


@pytest.mark.parametrize("login", ["lan", "ai"])
def test_failed_logins_have_to_wait_known_or_not(register, clock, login):
    for _ in range(5):
        assert log_in(register, login, "sai mật khẩu rồi") == Refused(0)
    for _ in range(3):  # asking again does not make it longer
        assert log_in(register, login) == Refused(5)
    clock.passes(seconds=5)
    assert log_in(register, login, "sai mật khẩu rồi") == Refused(0)
    assert log_in(register, login) == Refused(10)
    clock.passes(seconds=4)
    assert log_in(register, login) == Refused(6)
    clock.passes(hours=2)
    assert log_in(register, login, "sai mật khẩu rồi") == Refused(0)


def test_an_address_has_to_wait_whatever_it_tries(register):
    for number in range(20):
        assert log_in(register, f"ai{number}") == Refused(0)
    assert log_in(register) == Refused(5)
    assert isinstance(log_in(register, address="10.0.0.2"), str)


def test_getting_in_forgets_ones_own_failures_only(register):
    for number in range(18):
        log_in(register, f"ai{number}")
    for _ in range(3):
        assert isinstance(log_in(register), str)
    log_in(register, "lan", "sai mật khẩu rồi")
    assert isinstance(log_in(register), str)
    log_in(register, "ai")
    assert log_in(register) == Refused(5)


def test_attempts_at_the_same_moment_are_all_counted(register):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(log_in(register, "ai", "sai mật khẩu rồi")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.wait for each in answers) == [0] * 5 + [5] * 7


# Sessions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "alive"), [({"hours": 7, "minutes": 59}, 4), ({"hours": 9}, 1)])
def test_a_session_ends_unused_and_after_a_day(register, clock, step, alive):
    cookie = log_in(register)
    lived = 0
    while register.by_session(cookie):
        lived += 1
        clock.passes(**step)
    assert lived == alive


def test_a_session_ends_when_its_reason_does(register):
    for end in (
        register.sessions.end,
        lambda _: register.accounts.set_password("lan", PASSWORD + " mới"),
        lambda _: register.accounts.set_disabled("lan", True),
    ):
        cookie = log_in(register)
        assert register.by_session(cookie)
        end(cookie)
        assert register.by_session(cookie) is None
        register.accounts.set_disabled("lan", False)
        register.accounts.set_password("lan", PASSWORD)


@pytest.mark.parametrize("spoil", [str.upper, lambda c: c + "x", lambda c: c[1:], lambda _: "é"])
def test_a_changed_cookie_shows_nobody(register, spoil):
    assert register.by_session(spoil(log_in(register))) is None


def test_a_cookie_signed_elsewhere_shows_nobody(register, tmp_path_factory):
    other = Register(tmp_path_factory.mktemp("other"))
    cookie = log_in(register)
    secret = cookie.rpartition(".")[0]
    forged = other.sessions._signer.sign(secret).decode()
    assert forged.startswith(secret)
    assert register.by_session(forged) is None


def test_sessions_have_tokens_of_their_own(register):
    first, second = (register.by_session(log_in(register)) for _ in range(2))
    assert first.csrf != second.csrf
    assert first.session != second.session


def test_a_role_that_changed_counts_at_once(register):
    cookie = log_in(register)
    register.accounts.change("lan", role="reader", nda=False)
    person = register.by_session(cookie).person
    assert (person.role, person.nda) == ("reader", False)


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(signing_key(tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# Tokens ------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_kept_as_a_hash(register, tmp_path):
    token, secret = register.tokens.issue("lan", "máy của phòng")
    assert secret.startswith(f"cc_{token.id}_")
    with register.ledger.transaction() as connection:
        row = connection.execute(sa.select(ledger_module.token_table)).first()
    assert row.hash == hashlib.sha256(secret.encode()).hexdigest()
    register.close()
    hidden = secret.rpartition("_")[2].encode()
    assert all(hidden not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_scope_only_narrows(register):
    def person_of(login, scope):
        return register.by_token(register.tokens.issue(login, "x", scope)[1])

    reading = person_of("lan", "read")
    assert not reading.writes
    assert not may(reading.person, NDA)
    assert may(person_of("lan", "read+nda").person, NDA)
    writing = person_of("sep", "write")
    assert writing.writes
    assert may(writing.person, WRITE_NEEDS)
    assert not may(writing.person, ADMIN)
    assert may(person_of("sep", "admin").person, ADMIN)
    assert not may(person_of("lan", "admin").person, ADMIN)
    register.accounts.change("lan", nda=False)
    assert not may(person_of("lan", "read+nda").person, NDA)
    assert may(person_of("lan", "read").person, READ)


def test_a_token_ends(register, clock):
    day, secret = register.tokens.issue("lan", "một ngày", days=1)
    forever, always = register.tokens.issue("lan", "mãi", days=None)
    assert register.by_token(secret)
    clock.passes(days=1)
    assert register.by_token(secret) is None
    assert register.by_token(always)
    assert day.state_at(stamp(clock.now)) == "hết hạn"
    assert forever.state_at(stamp(clock.now)) == "còn hiệu lực"
    register.tokens.revoke(forever.id)
    register.tokens.revoke(forever.id)
    assert register.by_token(always) is None
    (kept,) = [each for each in register.tokens.all("lan") if each.id == forever.id]
    assert kept.state_at(stamp(clock.now)) == "đã thu hồi"
    assert register.by_token("cc_x_y") is None
    assert register.by_token("\udcff") is None


def test_disabling_revokes_tokens_for_good(register):
    _, secret = register.tokens.issue("lan", "x")
    register.accounts.set_disabled("lan", True)
    assert register.by_token(secret) is None
    register.accounts.set_disabled("lan", False)
    assert register.by_token(secret) is None
    register.accounts.set_disabled("lan", True)
    with pytest.raises(LedgerError, match="đã khóa"):
        register.tokens.issue("lan", "x")


def test_use_is_noted_not_every_time(register, clock):
    _, secret = register.tokens.issue("lan", "x")
    seen = []
    for _ in range(3):
        register.by_token(secret)
        seen.append(register.tokens.all("lan")[0].last_used)
        clock.passes(minutes=3)
    assert seen == [stamp(NOON), stamp(NOON), stamp(NOON + dt.timedelta(minutes=6))]
    assert moment(seen[0]) == NOON


@pytest.mark.parametrize(
    ("login", "name", "scope", "days", "why"),
    [
        ("ai", "x", "read", 1, "không có tài khoản"),
        ("lan", " ", "read", 1, "tên gọi"),
        ("lan", "x\x1b", "read", 1, "tên gọi"),
        ("lan", "x", "root", 1, "read, write, admin"),
        ("lan", "x", "read+all", 1, "read, write, admin"),
        ("lan", "x", "read+", 1, "read, write, admin"),
        ("lan", "x", "read", 0, "từ 1 đến 3650"),
    ],
)
def test_tokens_that_cannot_be_made(register, login, name, scope, days, why):
    with pytest.raises(LedgerError, match=why):
        register.tokens.issue(login, name, scope, days)


def test_only_ones_own_tokens_are_revoked_by_their_owner(register):
    token, secret = register.tokens.issue("sep", "x")
    with pytest.raises(LedgerError, match="không có mã truy cập"):
        register.tokens.revoke(token.id, of="lan")
    assert register.by_token(secret)


# The audit ---------------------------------------------------------------------------------------


def test_every_change_is_in_the_audit_without_secrets(register, clock):
    clock.passes(days=1)
    accounts, tokens = register.accounts, register.tokens
    accounts.add("moi", "Mới", "broker", PASSWORD, actor="sep")
    accounts.change("moi", role="reader", name="Mới", actor="sep")
    accounts.change("moi", role="reader", actor="sep")  # nothing new, nothing told
    accounts.set_password("moi", PASSWORD + "!", actor="moi")
    token, secret = tokens.issue("moi", "máy", actor="moi")
    tokens.revoke(token.id, actor="sep")
    accounts.set_disabled("moi", True, actor="sep")
    accounts.set_disabled("moi", False, actor="sep")
    lines = [(each.actor, each.action, each.target) for each in register.ledger.entries()]
    assert lines[::-1] == [
        (None, "user.add", "sep"),
        (None, "user.add", "lan"),
        ("sep", "user.add", "moi"),
        ("sep", "user.change", "moi"),
        ("moi", "user.passwd", "moi"),
        ("moi", "token.add", "moi"),
        ("sep", "token.revoke", "moi"),
        ("sep", "user.disable", "moi"),
        ("sep", "user.enable", "moi"),
    ]
    told = " ".join(each.detail for each in register.ledger.entries())
    assert "role: broker → reader" in told
    assert secret not in told
    assert secret.rpartition("_")[2] not in told
    assert PASSWORD not in told
    entries = register.ledger.entries
    assert {each.actor for each in entries(actor="moi")} == {"moi"}
    assert len(entries(actor="")) == 2
    assert len(entries(until="2026-11-26")) == 2
    assert len(entries(since="2026-11-26")) == 7
    assert [each.action for each in entries(limit=1, offset=1)] == ["user.disable"]
    assert len(entries(action="user.add")) == 3


def test_what_fails_is_not_in_the_audit(register):
    before = register.ledger.entries()
    for wrong in (
        lambda: register.accounts.add("lan", "X", "reader", PASSWORD),
        lambda: register.accounts.set_disabled("sep", True),
        lambda: register.tokens.issue("ai", "x"),
    ):
        with pytest.raises(LedgerError):
            wrong()
    assert register.ledger.entries() == before
