"""Who asks, what they may do, and what another site cannot make a browser do."""

from typing import Annotated

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from service import access
from service.access import Guard, Rules, Who, needs
from service.contract import ApiError
from service.pages import render
from service.person import LOCAL, Asked, Person
from service.roles import ADMIN, NDA, READ, ROLES, WRITE_NEEDS, may

SESSION = Asked(Person("lan", "Lan", "reader"), "session", csrf="form-token")
TOKEN = Asked(Person("may", "Máy", "officer"), "token")
READING = Asked(Person("doc", "Đọc", "officer"), "token", writes=False)


class Book:
    """Accounts that the tests know by heart."""

    def any(self):
        return True

    def by_token(self, secret):
        return {"write": TOKEN, "read": READING}.get(secret)

    def by_session(self, cookie):
        return SESSION if cookie == "lan" else None


def small_service(guard):
    app = FastAPI()
    app.state.guard = guard

    @app.exception_handler(ApiError)
    async def _refused(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse({"code": error.code}, error.status)

    @app.api_route("/known", methods=["GET", "POST"])
    def known(person: Who) -> str:
        return person.login

    @app.post("/needs")
    def write(person: Annotated[Person, needs(WRITE_NEEDS)]) -> str:
        return person.login

    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.fixture(scope="module")
def client():
    return small_service(Guard(Rules(), Book()))


def told(response):
    body = response.json()
    return response.status_code, body["code"] if isinstance(body, dict) else body


def test_roles_are_sets_of_capabilities():
    assert ROLES["reader"] == {READ}
    assert ROLES["broker"] - ROLES["officer"] == frozenset()
    assert may(Person("a", "A", "officer"), WRITE_NEEDS)
    assert not may(Person("a", "A", "officer"), ADMIN)
    assert not may(Person("a", "A", "broker"), WRITE_NEEDS)
    assert not may(Person("a", "A", "không có"), READ)


def test_nda_is_given_to_a_person_and_never_to_a_reader():
    assert not any(may(Person("a", "A", role), NDA) for role in ROLES)
    assert [role for role in ROLES if may(Person("a", "A", role, nda=True), NDA)] == [
        "officer",
        "broker",
        "administrator",
    ]


def test_without_accounts_whoever_is_near_is_the_local_officer():
    near = small_service(Guard(Rules()))
    assert near.get("/known").json() == LOCAL
    assert near.post("/needs").json() == LOCAL
    assert told(small_service(Guard(Rules(local=False))).get("/known")) == (401, "login_needed")


def test_with_accounts_being_near_is_not_enough(client):
    assert told(client.get("/known")) == (401, "login_needed")
    stale = {"Cookie": f"{access.COOKIE}=old"}
    assert told(client.get("/known", headers=stale)) == (401, "login_needed")


def test_a_wrong_token_is_not_made_up_for():
    near = small_service(Guard(Rules()))
    for header in ("Bearer sai", "Bearer ", "Basic YTpi", ""):
        assert told(near.get("/known", headers={"Authorization": header})) == (401, "login_needed")


def test_a_token_acts_for_its_person(client):
    bearer = {"Authorization": "bearer write"}
    assert told(client.post("/needs", headers=bearer)) == (200, "may")
    # No browser adds it by itself, so it needs no token of a form, and comes from anywhere.
    assert told(client.post("/needs", headers={**bearer, "Origin": "http://khac.vn"}))[0] == 200


def test_a_token_that_reads_changes_nothing(client):
    bearer = {"Authorization": "Bearer read"}
    assert told(client.get("/known", headers=bearer)) == (200, "doc")
    assert told(client.post("/known", headers=bearer)) == (403, "read_only")


@pytest.fixture
def logged_in(client):
    client.cookies.set(access.COOKIE, "lan")
    yield client
    client.cookies.clear()


def test_a_session_changes_nothing_without_its_own_token(logged_in):
    assert told(logged_in.get("/known")) == (200, "lan")
    assert told(logged_in.post("/known")) == (403, "csrf")
    assert told(logged_in.post("/known", data={"csrf": "khác"})) == (403, "csrf")
    assert told(logged_in.post("/known", json={"csrf": "form-token"})) == (403, "csrf")
    assert told(logged_in.post("/known", data={"csrf": "form-token"})) == (200, "lan")
    assert told(logged_in.post("/known", files={"csrf": b"form-token"})) == (403, "csrf")
    assert told(logged_in.post("/known", headers={"X-CSRF-Token": "form-token"})) == (200, "lan")


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8000"}, True),
        ({"Origin": "http://127.0.0.1:9000"}, False),
        ({"Origin": "http://khac.vn"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://[khac"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, False),
    ],
)
def test_another_site_changes_nothing(logged_in, headers, passes):
    expected = (200, "lan") if passes else (403, "cross_site")
    sent = logged_in.post("/known", data={"csrf": "form-token"}, headers=headers)
    assert told(sent) == expected
    assert logged_in.get("/known", headers=headers).status_code == 200
    near = small_service(Guard(Rules()))
    assert near.post("/known", headers=headers).status_code == expected[0]


def test_a_person_who_may_not_is_refused(logged_in):
    assert told(logged_in.post("/needs", data={"csrf": "form-token"})) == (403, "not_allowed")


def test_nobody_is_led_to_where_they_would_be_refused():
    led = {
        role: [place.name for place in render._places(Person("a", "A", role))]
        for role in ("reader", "broker", "officer", "administrator")
    }
    reading = ["search", "searches", "products", "technologies"]
    assert led["reader"] == [*reading, "overview"]
    assert led["broker"] == [*reading, "lists", "overview"]
    assert led["officer"] == [*reading, "lists", "import", "overview", "yearly"]
    assert led["administrator"] == [*led["officer"], "admin"]
