"""The pages of login, one's account and administration, in the order in which people use them."""

import contextlib
import datetime as dt
import html
import re
import shutil

import argon2
import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.store import Store
from service.access import COOKIE, Rules
from service.app import create_app
from service.desk_base import VIETNAM
from service.pages.account import local_path
from service.workspace import Workspace

QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "một câu dài dễ nhớ"
FAR = Rules(local=False)
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    Workspace(folder).build(None)
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "data")


@contextlib.contextmanager
def served(folder, rules=FAR):
    app = create_app(Workspace(folder), TODAY, 0.0, rules)
    app.state.register.accounts._hasher = QUICK
    with TestClient(app, raise_server_exceptions=False, headers=PAGE) as client:
        yield client


@pytest.fixture
def client(folder):
    with served(folder) as client:
        accounts = client.app.state.register.accounts
        accounts.add("sep", "Nguyễn Văn Sếp", "administrator", PASSWORD)
        accounts.add("lan", "Trần Thị Lan", "officer", PASSWORD)
        yield client


def field(page, name):
    return html.unescape(re.search(rf'name="{name}" value="([^"]*)"', page.text)[1])


def log_in(client, login="lan", password=PASSWORD, tiep="/tai-khoan"):
    client.cookies.clear()
    sent = {"login": login, "password": password, "tiep": tiep}
    return client.post("/dang-nhap", data=sent, follow_redirects=False)


def send(client, path, viec, **fields):
    csrf = field(client.get(path), "csrf")
    return client.post(path, data={"csrf": csrf, "viec": viec, **fields})


# Logging in and out ------------------------------------------------------------------------------


def test_a_page_leads_to_the_login_and_back(client):
    sent = client.get("/quan-tri?ai=lan&trang=2", follow_redirects=False)
    assert sent.status_code == 303
    page = client.get(sent.headers["location"])
    assert field(page, "tiep") == "/quan-tri?ai=lan&trang=2"
    answer = log_in(client, "sep", tiep=field(page, "tiep"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/quan-tri?ai=lan&trang=2")
    assert client.get("/quan-tri").status_code == 200


@pytest.mark.parametrize(
    "path", ["//khac.vn", "https://khac.vn", "/\\khac.vn", "/a\nb", "javascript:alert(1)", "", "a"]
)
def test_the_login_leads_nowhere_else(client, path):
    assert local_path(path) == "/"
    assert log_in(client, tiep=path).headers["location"] == "/"


def test_programs_are_not_sent_to_a_page(client):
    answer = client.get("/quan-tri", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"error"}


def test_the_cookie_is_for_this_service_only(client, folder):
    cookie = log_in(client).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    with served(folder, Rules(local=False, secure=True)) as secured:
        assert "Secure" in log_in(secured).headers["set-cookie"]


def test_every_login_begins_a_session_of_its_own(client):
    first = log_in(client).cookies[COOKIE]
    assert log_in(client).cookies[COOKIE] != first


@pytest.mark.parametrize("login", ["lan", "ai", '"><script>'])
def test_a_wrong_login_says_the_same(client, login):
    answer = log_in(client, login, "sai mật khẩu rồi")
    assert answer.status_code == 401
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in answer.text
    assert "<script>" not in answer.text
    assert "sai mật khẩu rồi" not in answer.text
    assert COOKIE not in answer.cookies


def test_too_many_attempts_wait(client):
    for _ in range(5):
        log_in(client, password="sai mật khẩu rồi")
    answer = log_in(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert "sau 5 giây" in answer.text


def test_logging_out_ends_the_session(client):
    cookie = log_in(client).cookies[COOKIE]
    answer = client.post("/dang-xuat", data={"csrf": field(client.get("/tai-khoan"), "csrf")})
    assert "Đăng nhập" in answer.text
    client.cookies.set(COOKIE, cookie)
    assert client.get("/tai-khoan", follow_redirects=False).status_code == 303


def test_another_site_cannot_log_anybody_out(client):
    log_in(client)
    for headers in ({}, {"Origin": "http://khac.vn"}):
        assert client.post("/dang-xuat", headers=headers).status_code == 403
    assert client.get("/tai-khoan").status_code == 200


def test_another_site_cannot_log_anybody_in(client):
    client.cookies.clear()
    sent = {"login": "lan", "password": PASSWORD}
    answer = client.post("/dang-nhap", data=sent, headers={"Origin": "http://khac.vn"})
    assert answer.status_code == 403


# One's own account -------------------------------------------------------------------------------


def test_a_new_password_ends_other_sessions_and_keeps_this_one(client):
    other = log_in(client).cookies[COOKIE]
    log_in(client)
    new = "một câu khác dài hơn"
    page = send(client, "/tai-khoan", "mat-khau", old=PASSWORD, new=new, again=new)
    assert "Đã đổi mật khẩu" in page.text
    assert client.get("/tai-khoan", follow_redirects=False).status_code == 200
    client.cookies.clear()
    client.cookies.set(COOKIE, other)
    assert client.get("/tai-khoan", follow_redirects=False).status_code == 303
    assert log_in(client).status_code == 401
    assert log_in(client, password=new).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("sai mật khẩu rồi", "một câu khác dài", "một câu khác dài", "hiện tại không đúng"),
        (PASSWORD, "một câu khác dài", "một câu khác nữa", "không giống nhau"),
        (PASSWORD, PASSWORD, PASSWORD, "phải khác"),
        (PASSWORD, "ngắn", "ngắn", "từ 10 đến 200"),
    ],
)
def test_a_password_that_is_not_changed_says_why(client, old, new, again, why):
    log_in(client)
    page = send(client, "/tai-khoan", "mat-khau", old=old, new=new, again=again)
    assert page.status_code == 422
    assert why in page.text
    assert log_in(client).status_code == 303


def test_a_token_is_shown_once(client):
    log_in(client)
    made = send(client, "/tai-khoan", "tao-ma", name="máy <b>", scope="write", days="30")
    secret = re.search(r"<code>(cc_[^<]+_[^<]+)</code>", made.text)[1]
    assert "máy &lt;b&gt;" in made.text
    page = client.get("/tai-khoan")
    assert secret not in page.text
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.get("/tai-khoan", headers=bearer).status_code == 200
    assert client.post("/tai-khoan", data={"viec": "tao-ma"}, headers=bearer).status_code == 403
    log_in(client)
    page = send(client, "/tai-khoan", "thu-hoi", token=secret.split("_")[1])
    assert "Đã thu hồi" in page.text
    client.cookies.clear()
    answer = client.get("/tai-khoan", headers={**bearer, "Accept": "*/*"})
    assert answer.status_code == 401


def test_somebody_elses_token_is_not_there_to_revoke(client):
    token, _ = client.app.state.register.tokens.issue("sep", "x")
    log_in(client)
    page = send(client, "/tai-khoan", "thu-hoi", token=token.id)
    assert page.status_code == 422
    assert "Không có mã truy cập" in page.text


def test_a_given_password_is_changed_before_anything_else(client):
    log_in(client, "sep")
    page = send(client, "/quan-tri", "dat-mat-khau", login="lan")
    given = re.search(r"<code>([0-9a-f-]{24})</code>", page.text)[1]
    assert log_in(client, password=given).status_code == 303
    sent = client.get("/quan-tri", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (303, "/tai-khoan")
    assert send(client, "/tai-khoan", "tao-ma", name="x").status_code == 403
    new = "một câu khác dài hơn"
    send(client, "/tai-khoan", "mat-khau", old=given, new=new, again=new)
    assert send(client, "/tai-khoan", "tao-ma", name="x").status_code == 200


# Administration ----------------------------------------------------------------------------------


def test_only_administrators_see_it(client):
    log_in(client)
    answer = client.get("/quan-tri")
    assert answer.status_code == 403
    assert "Sếp" not in answer.text
    token = client.app.state.register.tokens.issue("sep", "x", "write")[1]
    client.cookies.clear()
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/quan-tri", headers=bearer).status_code == 403


def test_people_are_added_changed_and_shut_out(client):
    log_in(client, "sep")
    page = send(client, "/quan-tri", "them", login="Moi", name="Người <i>Mới", role="broker")
    given = re.search(r"<code>([0-9a-f-]{24})</code>", page.text)[1]
    assert "Người &lt;i&gt;Mới" in page.text
    accounts = client.app.state.register.accounts
    assert accounts.check("moi", given).must_change
    assert given not in client.get("/quan-tri").text
    send(client, "/quan-tri", "sua", login="moi", role="officer", nda="1")
    assert accounts.get("moi").person.nda
    send(client, "/quan-tri", "sua", login="moi", role="officer")
    assert not accounts.get("moi").person.nda
    send(client, "/quan-tri", "khoa", login="moi")
    assert accounts.check("moi", given) is None
    send(client, "/quan-tri", "mo", login="moi")
    assert accounts.check("moi", given)
    told = client.get("/quan-tri").text
    for each in ("thêm tài khoản", "sửa tài khoản", "khóa tài khoản", "mở tài khoản"):
        assert f"<td>{each}</td>" in told


@pytest.mark.parametrize(
    ("viec", "fields", "why"),
    [
        ("khoa", {"login": "sep"}, "quản trị duy nhất"),
        ("them", {"login": "lan", "role": "reader"}, "đã có tài khoản"),
        ("them", {"login": "<b>", "role": "reader"}, "không hợp lệ"),
        ("sua", {"login": "lan", "role": "vua"}, "không có vai trò"),
        ("dat-mat-khau", {"login": "ai"}, "không có tài khoản"),
        ("không có", {}, "không có việc này"),
    ],
)
def test_what_cannot_be_done_says_why(client, viec, fields, why):
    log_in(client, "sep")
    page = send(client, "/quan-tri", viec, **fields)
    assert page.status_code == 422
    assert why.lower() in html.unescape(page.text).lower()


def test_the_audit_is_filtered_and_paged(client):
    ledger = client.app.state.register.ledger
    with ledger.transaction(write=True) as connection:
        for number in range(60):
            ledger.note(connection, "máy", "token.add", f"đích-{number:02}")
    log_in(client, "sep")
    page = client.get("/quan-tri?ai=máy")
    assert page.text.count("<td>máy</td>") == 50
    assert "đích-59" in page.text
    older = html.unescape(re.search(r'href="(/quan-tri[^"]*)#nhat-ky">Cũ hơn', page.text)[1])
    last = client.get(older).text
    assert (last.count("<td>máy</td>"), "Cũ hơn" in last, "Mới hơn" in last) == (10, False, True)
    assert client.get("/quan-tri?viec=user.add").text.count("<td>dòng lệnh</td>") == 2
    assert "dòng lệnh</td>" not in client.get("/quan-tri?den=2020-01-01").text
    today = dt.datetime.now(VIETNAM).date()
    assert "dòng lệnh</td>" in client.get(f"/quan-tri?ai=dòng lệnh&den={today}").text
    assert "dòng lệnh</td>" in client.get(f"/quan-tri?ai=dòng lệnh&tu={today}").text
    for day in ("hôm qua", "2026-02-30", "9999-12-31", "0001-01-01"):
        assert client.get(f"/quan-tri?tu={day}&den={day}").status_code == 422


def test_the_index_is_made_anew_from_the_page(client, monkeypatch):
    monkeypatch.setattr(Workspace, "encoder", lambda _: (None, ""))
    with Store.open(client.app.state.space.folder) as store:
        store.save([TECHNOLOGIES[0].model_copy(update={"id": "MỚI-1"})])
    log_in(client, "sep")
    assert "Chưa gồm 1 thay đổi mới nhất" in client.get("/quan-tri").text
    page = send(client, "/quan-tri", "chi-muc")
    assert "Đang cập nhật chỉ mục" in page.text
    client.app.state.indexing.join(60)
    told = client.get("/quan-tri").text
    assert "Đã gồm mọi thay đổi" in told
    assert "xong. Chỉ mục đã gồm 9 công nghệ" in told
    assert "<td>cập nhật chỉ mục</td>" in told


def test_a_rebuild_that_fails_leaves_the_old_index_and_says_why(client, monkeypatch):
    monkeypatch.setattr(Workspace, "encoder", lambda _: (None, ""))
    monkeypatch.setattr(Workspace, "build", lambda *_: 1 / 0)
    log_in(client, "sep")
    send(client, "/quan-tri", "chi-muc")
    client.app.state.indexing.join(60)
    told = client.get("/quan-tri").text
    assert "không xong" in told
    assert "division" not in told
    assert "8 công nghệ" in told


def test_alone_the_local_officer_makes_the_first_administrator(folder, monkeypatch):
    monkeypatch.setattr("service.register.LOOK_EVERY", 0.0)
    with served(folder, Rules()) as client:
        assert "không cần đăng nhập" in client.get("/tai-khoan").text
        assert "Chưa có tài khoản nào" in client.get("/quan-tri").text
        refused = send(client, "/quan-tri", "them", login="lan", role="reader")
        assert "đầu tiên phải là quản trị" in refused.text
        made = send(client, "/quan-tri", "them", login="sep", role="administrator")
        given = re.search(r"<code>([0-9a-f-]{24})</code>", made.text)[1]
        assert client.get("/quan-tri", follow_redirects=False).status_code == 303
        assert log_in(client, "sep", given).status_code == 303
