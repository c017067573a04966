"""Every route, for everybody who may ask: a table that no route may be missing from."""

import datetime as dt

import argon2
import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY
from starlette.routing import Mount

from corpus.store import Store
from service.access import COOKIE, Rules
from service.app import create_app
from service.workspace import Workspace

QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "một câu dài dễ nhớ"
ROLES = ("reader", "officer", "broker", "administrator")
NOBODY = ("anonymous", "expired", "disabled", "revoked")
EVERYBODY = frozenset(ROLES) | frozenset(NOBODY)
KNOWN = frozenset(ROLES)
ADMINISTRATOR = frozenset({"administrator"})

# Route → a path that it answers, and who gets past the question of who they are.
TABLE = {
    ("GET", "/openapi.json"): ("/openapi.json", EVERYBODY),
    ("GET", "/health"): ("/health", EVERYBODY),
    ("GET", "/ready"): ("/ready", EVERYBODY),
    ("GET", "/metrics"): ("/metrics", ADMINISTRATOR),
    ("GET", "/api/v1/search"): ("/api/v1/search?q=sấy", KNOWN),
    ("GET", "/api/v1/matches"): ("/api/v1/matches?need=N-1", KNOWN),
    ("GET", "/api/v1/technologies/{id:path}/takers"): ("/api/v1/technologies/CN-2/takers", KNOWN),
    ("GET", "/api/v1/technologies/{id:path}"): ("/api/v1/technologies/CN-2", KNOWN),
    ("GET", "/api/v1/products"): ("/api/v1/products", KNOWN),
    ("GET", "/api/v1/products/{id:path}"): ("/api/v1/products/SP-1", KNOWN),
    ("GET", "/api/v1/needs"): ("/api/v1/needs", KNOWN),
    ("GET", "/api/v1/needs/{id:path}"): ("/api/v1/needs/N-1", KNOWN),
    ("GET", "/dang-nhap"): ("/dang-nhap", EVERYBODY),
    ("POST", "/dang-nhap"): ("/dang-nhap", EVERYBODY),
    ("POST", "/dang-xuat"): ("/dang-xuat", EVERYBODY),
    ("GET", "/tai-khoan"): ("/tai-khoan", KNOWN),
    ("POST", "/tai-khoan"): ("/tai-khoan", KNOWN),
    ("GET", "/quan-tri"): ("/quan-tri", ADMINISTRATOR),
    ("POST", "/quan-tri"): ("/quan-tri", ADMINISTRATOR),
}
REFUSED = {"login_needed", "not_allowed"}


def routes(found, prefix=""):
    """Method and template of every route, of routers within routers too."""
    for each in found:
        if isinstance(each, Mount):
            continue  # files that everybody may have
        inner = getattr(each, "original_router", None) or getattr(each, "router", None)
        if inner is not None and not getattr(each, "methods", None):
            context = getattr(each, "include_context", None)
            yield from routes(inner.routes, prefix + getattr(context, "prefix", ""))
            continue
        for method in each.methods - {"HEAD"}:
            yield method, prefix + each.path


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with one of everybody, and what each shows."""
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    app = create_app(space, TODAY, 0.0, Rules(local=False))
    register = app.state.register
    register.accounts._hasher = QUICK
    shown = {"anonymous": {}}
    for role in sorted(ROLES):  # the administrator first
        register.accounts.add(role, role, role, PASSWORD)
        shown[role] = {"token": register.tokens.issue(role, "x", "admin")[1]}
        shown[role]["cookie"] = register.log_in(role, PASSWORD, "10.0.0.1")
    ends, secret = register.tokens.issue("administrator", "x", "admin")
    register.tokens.revoke(ends.id)
    shown["revoked"] = {"token": secret}
    clock = register.ledger.clock
    register.ledger.clock = lambda: clock() - dt.timedelta(days=2)
    shown["expired"] = {
        "token": register.tokens.issue("administrator", "x", "admin", 1)[1],
        "cookie": register.log_in("administrator", PASSWORD, "10.0.0.1"),
    }
    register.ledger.clock = clock
    register.accounts.add("shut", "x", "administrator", PASSWORD)
    shown["disabled"] = {
        "token": register.tokens.issue("shut", "x", "admin")[1],
        "cookie": register.log_in("shut", PASSWORD, "10.0.0.1"),
    }
    register.accounts.set_disabled("shut", True)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client, shown


def test_no_route_is_missing_from_the_table(service):
    client, _ = service
    found = set(routes(client.app.routes))
    assert found - TABLE.keys() == set(), "say in TABLE who may ask these"
    assert TABLE.keys() - found == set(), "no such route any more"


def refusal(response):
    if response.status_code not in {401, 403}:
        return None
    if response.headers["content-type"] != "application/json":
        return None  # a page of its own: a wrong login
    return response.json()["error"]["code"]


@pytest.mark.parametrize(("method", "template"), TABLE, ids=[" ".join(each) for each in TABLE])
@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_every_refusal_on_every_route(service, method, template, name):
    client, shown = service
    path, allowed = TABLE[method, template]
    for way, secret in shown[name].items() or [("", "")]:
        headers = {"Authorization": f"Bearer {secret}"} if way == "token" else {}
        if way == "cookie":
            headers = {"Cookie": f"{COOKIE}={secret}"}
            asked = client.app.state.register.by_session(secret)
            headers["X-CSRF-Token"] = asked.csrf if asked else ""
        if method == "POST" and path == "/dang-xuat" and way == "cookie":
            continue  # would end the session that the others need
        response = client.request(method, path, headers=headers, follow_redirects=False)
        assert response.status_code != 500
        code = refusal(response)
        if name in allowed:
            assert code not in REFUSED, (way, response.text)
        else:
            expected = "login_needed" if name in NOBODY else "not_allowed"
            assert code == expected, (way, response.status_code)
            assert set(response.json()) == {"error"}


CHANGING = [
    pytest.param(*route, id=" ".join(route))
    for route, (_, allowed) in TABLE.items()
    if route[0] != "GET" and allowed != EVERYBODY
]


@pytest.mark.parametrize(("method", "template"), CHANGING)
def test_a_token_that_only_reads_changes_nothing(service, method, template):
    client, _ = service
    _, secret = client.app.state.register.tokens.issue("administrator", "x", "read")
    headers = {"Authorization": f"Bearer {secret}"}
    response = client.request(method, TABLE[method, template][0], headers=headers)
    assert refusal(response) == "read_only"
