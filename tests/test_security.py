"""What holds for every request: headers, names, paths, sizes, the log; and terms of serving."""

import io
import json
import logging
import sys
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from corpus.store import Store
from service import cli, serving
from service.access import Rules, Who
from service.app import create_app
from service.security import LOOPBACK_NAMES, POLICY, host_name
from service.serving import Wanted, terms
from service.settings import Exit
from service.workspace import Workspace


def built(folder, rules):
    app = create_app(Workspace(folder), every=0.0, rules=rules)

    @app.get("/api/v1/broken")
    def broken():
        raise RuntimeError("bí mật")

    @app.post("/api/v1/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/nhap-du-lieu/a/b/c")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @app.get("/api/v1/echo/{key:path}")
    def echoed(_: Who, key: str) -> str:
        return key

    return TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty")
    with built(folder, Rules(hosts=LOOPBACK_NAMES)) as client:
        yield client


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    with built(tmp_path_factory.mktemp("far"), Rules(local=False, secure=True)) as client:
        yield client


def code(response):
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    "path",
    ["/health", "/openapi.json", "/api/v1/search?q=a", "/không-có", "/api/v1/broken", "/%FF"],
)
def test_every_answer_is_dressed(client, path):
    response = client.get(path)
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers["x-request-id"]) == 16
    assert "server" not in response.headers
    assert "strict-transport-security" not in response.headers


def test_the_policy_allows_no_inline_and_no_frame():
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in POLICY


def test_pages_hold_nothing_inline():
    templates = Path(serving.__file__).parent / "templates"
    pages = {*templates.glob("*.html")} - {templates / "plan_report.html"}  # a file, never served
    for path in pages:
        text = path.read_text("utf-8")
        for inline in ("<script>", "style=", "<style", "onclick=", "onsubmit=", "javascript:"):
            assert inline not in text, path


def test_files_of_pages_may_be_kept(client):
    assert client.get("/static/style.css").headers.get("cache-control") != "no-store"


def test_requests_have_names_of_their_own(client):
    names = {client.get("/health").headers["x-request-id"] for _ in range(3)}
    assert len(names) == 3


@pytest.mark.parametrize("host", ["khac.vn", "localhost.khac.vn", "127.0.0.1.nip.io:8000", ""])
def test_a_foreign_name_reaches_nothing(client, host):
    for path in ("/health", "/api/v1/search?q=a", "/dang-nhap"):
        assert code(client.get(path, headers={"Host": host})) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000"])
def test_this_machine_by_any_of_its_names(client, host):
    assert client.get("/health", headers={"Host": host}).status_code == 200


def test_names_without_ports():
    assert host_name("[::1]") == "[::1]"
    assert host_name("[::1]:80") == "[::1]"
    assert host_name("a.vn:x") == "a.vn:x"


@pytest.mark.parametrize("path", ["%FF%FE", "a%00b", "a%0Ab", "%C2%85", "%E2%80%A8", "%ED%A0%80"])
def test_paths_that_are_no_text(client, path):
    assert code(client.get(f"/api/v1/echo/{path}")) == (400, "bad_path")


def test_paths_that_are_text(client):
    assert client.get("/api/v1/echo/CN%2F2024 đó%22").json() == 'CN/2024 đó"'


def test_bodies_are_limited_by_path(client):
    assert client.post("/api/v1/echo", content=b"x" * (1 << 20)).json() == 1 << 20
    assert code(client.post("/api/v1/echo", content=b"x" * ((1 << 20) + 1))) == (413, "too_large")
    assert client.post("/nhap-du-lieu/a/b/c", content=b"x" * (2 << 20)).json() == 2 << 20
    too_much = {"Content-Length": str((50 << 20) + 1)}
    assert code(client.post("/nhap-du-lieu/a/b/c", content=b"", headers=too_much)) == (
        413,
        "too_large",
    )
    for wrong in ("-1", "1e3", "x", "9" * 400):
        refused = client.post("/api/v1/echo", content=b"", headers={"Content-Length": wrong})
        assert refused.status_code in {400, 413}


def test_bodies_that_do_not_say_how_long_they_are(client):
    pieces = (b"x" * 1000 for _ in range(2000))
    assert client.post("/api/v1/echo", content=pieces).status_code == 413


def test_who_shows_nothing_sends_little(far):
    assert far.post("/nhap-du-lieu/a/b/c", content=b"x" * 65_536).status_code == 200
    assert far.post("/nhap-du-lieu/a/b/c", content=b"x" * 65_537).status_code == 413
    shown = {"Authorization": "Bearer x"}
    sent = far.post("/nhap-du-lieu/a/b/c", content=b"x" * 100_000, headers=shown)
    assert sent.status_code == 200


def test_the_log_holds_no_question_and_no_secret(client, caplog):
    with caplog.at_level(logging.INFO, "service.requests"):
        client.get("/api/v1/echo/CN-77?q=điều+cần+tìm", headers={"Authorization": "Bearer cc_x"})
        client.get("/api/v1/broken")
    lines = [each.getMessage() for each in caplog.records if each.name == "service.requests"]
    assert len(lines) == 2
    assert "GET /api/v1/echo/{key:path} 401" in lines[0]
    assert "GET /api/v1/broken 500" in lines[1]
    for secret in ("CN-77", "điều", "%C4", "cc_", "bí mật"):
        assert secret not in " ".join(lines)


# Metrics -----------------------------------------------------------------------------------------


def near(client):
    return TestClient(client.app, base_url="http://localhost", client=("127.0.0.1", 5000))


def test_counts_are_for_this_machine_and_by_route(far):
    for number in range(3):
        far.get(f"/api/v1/echo/CN-{number}")
    text = near(far).get("/metrics").text
    assert (
        'cungcau_requests_total{method="GET",route="/api/v1/echo/{key:path}",status="401"} 3.0'
    ) in text
    assert "CN-1" not in text
    assert "cungcau_index_ready 0.0" in text
    assert 'cungcau_request_seconds_bucket{le="0.1",route="/api/v1/echo/{key:path}"}' in text


def test_counts_are_not_for_others(far):
    assert code(far.get("/metrics")) == (401, "login_needed")
    forwarded = {"X-Forwarded-For": "10.0.0.9"}
    assert code(near(far).get("/metrics", headers=forwarded)) == (401, "login_needed")


def test_an_unknown_method_is_one_label(far):
    for method in ("BREW", "PROPFIND", "GET\u200b".encode().hex()):
        far.request(method, "/health")
    assert 'method="BREW"' not in near(far).get("/metrics").text


# Terms of serving --------------------------------------------------------------------------------


def run(args, expected):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", ["cungcau", *args])
        cli.main()
    assert (stopped.value.code or 0) == expected


def test_alone_on_this_machine_is_its_officer(tmp_path):
    rules = terms(Wanted(tmp_path, "127.0.0.1", 8000, nda=True), others=False)
    assert rules == Rules(True, True, LOOPBACK_NAMES)


def test_for_others_everybody_logs_in(tmp_path):
    rules = terms(Wanted(tmp_path, "0.0.0.0", 80, nda=True), others=True)
    assert (rules.local, rules.nda, rules.secure, rules.hosts) == (False, False, True, frozenset())
    named = terms(Wanted(tmp_path, "127.0.0.1", 80, ("CungCau.vn",), plain_http=True), others=True)
    assert (named.local, named.secure) == (False, False)
    assert named.hosts == {"localhost", "127.0.0.1", "[::1]", "cungcau.vn"}


@pytest.mark.parametrize("args", [["--host", "0.0.0.0"], ["--name", "cungcau.vn"]])
def test_others_are_not_served_before_there_is_an_administrator(tmp_path, capsys, args):
    for _ in range(2):  # without a database, and with one
        run(["serve", "--data", str(tmp_path), "--port", "0", *args], Exit.USAGE)
        told = " ".join(capsys.readouterr().err.split())
        assert "cungcau user add TÊN --role administrator" in told
        with Store.create(tmp_path):
            pass


def test_with_an_administrator_others_are_served(tmp_path, monkeypatch, capsys):
    with Store.create(tmp_path):
        pass
    monkeypatch.setattr("sys.stdin", io.StringIO("một câu dài dễ nhớ\n"))
    add = ["user", "add", "sep", "--role", "administrator", "--password-stdin"]
    run([*add, "--data", str(tmp_path)], 0)
    served = []
    monkeypatch.setattr(serving, "run", lambda wanted, rules, door: served.append((rules, door)))
    run(["serve", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0"], 0)
    ((rules, door),) = served
    door.close()
    assert not rules.local
    assert "Trang web" in capsys.readouterr().out


def test_workers_are_told_the_same_terms(tmp_path, monkeypatch):
    rules = Rules(False, False, frozenset({"a.vn", "b.vn"}), True)
    monkeypatch.setenv(serving.SETTINGS, serving.written(Wanted(tmp_path, "a", 1), rules))
    assert serving.worker().rules == rules


# The commands ------------------------------------------------------------------------------------


def test_users_and_tokens_by_command(tmp_path, monkeypatch, capsys):
    with Store.create(tmp_path):
        pass
    at = ["--data", str(tmp_path), "--json"]

    def told(*args, typed="", expected=0):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        run([*args, *at], expected)
        out, err = capsys.readouterr()
        assert "một câu dài" not in out + err
        return json.loads(out) if expected == 0 else " ".join(err.split())

    password = "một câu dài dễ nhớ"
    first = ("user", "add", "sep", "--role", "administrator", "--password-stdin")
    assert "từ 10 đến 200" in told(*first, typed="ngắn", expected=Exit.USAGE)
    assert told(*first, typed=password)["role"] == "administrator"
    made = told("user", "add", "lan", "--name", "Lan", "--password-stdin", "--nda", typed=password)
    assert (made["role"], made["nda"], made["name"]) == ("reader", True, "Lan")
    assert "password_hash" not in made
    assert "đã có tài khoản" in told(*first, typed=password, expected=Exit.USAGE)
    assert told("user", "change", "lan", "--role", "broker", "--no-nda")["role"] == "broker"
    assert told("user", "passwd", "lan", "--password-stdin", typed=password + "!")["login"] == "lan"
    token = told("token", "add", "lan", "--name", "máy", "--scope", "write", "--days", "0")
    assert token["expires"] is None
    (kept,) = told("token", "list")
    assert kept["id"] == token["id"]
    assert "token" not in kept
    assert told("token", "revoke", token["id"])["revoked"]
    assert told("user", "disable", "lan")["disabled"]
    assert not told("user", "enable", "lan")["disabled"]
    assert [each["login"] for each in told("user", "list")] == ["lan", "sep"]
    assert "quản trị duy nhất" in told("user", "disable", "sep", expected=Exit.USAGE)
    assert "không có tài khoản" in told("user", "disable", "ai", expected=Exit.USAGE)
    assert "không có mã" in told("token", "revoke", "ai", expected=Exit.USAGE)


def test_without_a_database_the_commands_say_what_to_do(tmp_path, capsys):
    run(["user", "list", "--data", str(tmp_path / "a")], Exit.NO_DATA)
    assert "cungcau init" in capsys.readouterr().err
