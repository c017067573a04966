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
LISTERS = frozenset({"officer", "broker", "administrator"})
STATING = frozenset({"officer", "administrator"})
IMPORTING = STATING
PLANNING = STATING

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
    ("GET", "/"): ("/?q=sấy", KNOWN),
    ("GET", "/api/v1/decisions"): ("/api/v1/decisions", LISTERS),
    ("POST", "/api/v1/decisions"): ("/api/v1/decisions", LISTERS),
    ("GET", "/api/v1/decisions/due"): ("/api/v1/decisions/due", LISTERS),
    ("GET", "/api/v1/decisions/{id:path}"): ("/api/v1/decisions/N-1", LISTERS),
    ("PATCH", "/api/v1/decisions/{id:path}"): ("/api/v1/decisions/N-1", LISTERS),
    ("GET", "/api/v1/judgments"): ("/api/v1/judgments", KNOWN),
    ("POST", "/api/v1/judgments"): ("/api/v1/judgments", STATING),
    ("PUT", "/api/v1/judgments"): ("/api/v1/judgments", STATING),
    ("GET", "/api/v1/lists"): ("/api/v1/lists", LISTERS),
    ("POST", "/api/v1/lists"): ("/api/v1/lists", LISTERS),
    ("DELETE", "/api/v1/lists/{id}"): ("/api/v1/lists/DS-9", LISTERS),
    ("GET", "/api/v1/lists/{id}"): ("/api/v1/lists/DS-9", LISTERS),
    ("PATCH", "/api/v1/lists/{id}"): ("/api/v1/lists/DS-9", LISTERS),
    ("GET", "/api/v1/lists/{id}/contacts"): ("/api/v1/lists/DS-9/contacts", LISTERS),
    ("POST", "/api/v1/lists/{id}/handover"): ("/api/v1/lists/DS-9/handover", LISTERS),
    ("DELETE", "/api/v1/lists/{id}/items"): ("/api/v1/lists/DS-9/items", LISTERS),
    ("POST", "/api/v1/lists/{id}/items"): ("/api/v1/lists/DS-9/items", LISTERS),
    ("PUT", "/api/v1/lists/{id}/order"): ("/api/v1/lists/DS-9/order", LISTERS),
    ("POST", "/api/v1/lists/{id}/reopen"): ("/api/v1/lists/DS-9/reopen", LISTERS),
    ("PUT", "/api/v1/lists/{id}/shared"): ("/api/v1/lists/DS-9/shared", LISTERS),
    ("POST", "/api/v1/needs"): ("/api/v1/needs", STATING),
    ("PATCH", "/api/v1/needs/{id:path}"): ("/api/v1/needs/N-1", STATING),
    ("GET", "/api/v1/needs/{id:path}/history"): ("/api/v1/needs/N-1/history", KNOWN),
    ("POST", "/api/v1/needs/{id:path}/withdraw"): ("/api/v1/needs/N-1/withdraw", STATING),
    ("GET", "/api/v1/imports"): ("/api/v1/imports", IMPORTING),
    ("POST", "/api/v1/imports"): ("/api/v1/imports", IMPORTING),
    ("GET", "/api/v1/imports/{id}"): ("/api/v1/imports/0", IMPORTING),
    ("DELETE", "/api/v1/imports/{id}"): ("/api/v1/imports/0", IMPORTING),
    ("PUT", "/api/v1/imports/{id}/plan"): ("/api/v1/imports/0/plan", IMPORTING),
    ("GET", "/api/v1/imports/{id}/preview"): ("/api/v1/imports/0/preview", IMPORTING),
    ("POST", "/api/v1/imports/{id}/load"): ("/api/v1/imports/0/load", IMPORTING),
    ("GET", "/api/v1/imports/{id}/rejected"): ("/api/v1/imports/0/rejected?format=csv", IMPORTING),
    ("GET", "/api/v1/index"): ("/api/v1/index", IMPORTING),
    ("POST", "/api/v1/index"): ("/api/v1/index", IMPORTING),
    ("GET", "/api/v1/exports/technologies"): ("/api/v1/exports/technologies", KNOWN),
    ("GET", "/api/v1/exports/products"): ("/api/v1/exports/products", KNOWN),
    ("GET", "/api/v1/exports/needs"): ("/api/v1/exports/needs", KNOWN),
    ("GET", "/api/v1/lists/{id}/export"): ("/api/v1/lists/DS-9/export", LISTERS),
    ("GET", "/api/v1/owners"): ("/api/v1/owners", KNOWN),
    ("GET", "/api/v1/owners/{name:path}"): ("/api/v1/owners/x", KNOWN),
    ("GET", "/api/v1/searches"): ("/api/v1/searches", KNOWN),
    ("POST", "/api/v1/searches"): ("/api/v1/searches", KNOWN),
    ("DELETE", "/api/v1/searches/{id}"): ("/api/v1/searches/DS-9", KNOWN),
    ("GET", "/api/v1/searches/{id}"): ("/api/v1/searches/DS-9", KNOWN),
    ("GET", "/api/v1/searches/{id}/new"): ("/api/v1/searches/DS-9/new", KNOWN),
    ("POST", "/api/v1/searches/{id}/seen"): ("/api/v1/searches/DS-9/seen", KNOWN),
    ("GET", "/api/v1/technologies"): ("/api/v1/technologies", KNOWN),
    ("GET", "/api/v1/technologies/{id:path}/similar"): ("/api/v1/technologies/CN-2/similar", KNOWN),
    ("GET", "/api/v1/duplicates"): ("/api/v1/duplicates", STATING),
    ("POST", "/api/v1/duplicates/apart"): ("/api/v1/duplicates/apart", STATING),
    ("POST", "/api/v1/duplicates/merge"): ("/api/v1/duplicates/merge", STATING),
    ("GET", "/api/v1/duplicates/merges"): ("/api/v1/duplicates/merges", STATING),
    ("POST", "/api/v1/duplicates/{id}/undo"): ("/api/v1/duplicates/GOP-9/undo", STATING),
    ("GET", "/trung-lap"): ("/trung-lap", STATING),
    ("POST", "/trung-lap"): ("/trung-lap", STATING),
    ("GET", "/thu-thap"): ("/thu-thap", STATING),
    ("POST", "/thu-thap"): ("/thu-thap", STATING),
    ("GET", "/thu-thap/{ma}"): ("/thu-thap/DTT-9", STATING),
    ("POST", "/thu-thap/{ma}"): ("/thu-thap/DTT-9", STATING),
    ("GET", "/thu-thap/{ma}/tai/{tep}"): ("/thu-thap/DTT-9/tai/1.xlsx", STATING),
    ("GET", "/cong-nghe"): ("/cong-nghe", KNOWN),
    ("GET", "/cong-nghe/{id:path}"): ("/cong-nghe/CN-2", KNOWN),
    ("GET", "/danh-sach"): ("/danh-sach", LISTERS),
    ("POST", "/danh-sach"): ("/danh-sach", LISTERS),
    ("POST", "/danh-sach/them"): ("/danh-sach/them", LISTERS),
    ("GET", "/danh-sach/{ma}"): ("/danh-sach/DS-9", LISTERS),
    ("POST", "/danh-sach/{ma}/ban-giao"): ("/danh-sach/DS-9/ban-giao", LISTERS),
    ("POST", "/danh-sach/{ma}/bo-dong"): ("/danh-sach/DS-9/bo-dong", LISTERS),
    ("POST", "/danh-sach/{ma}/chia-se"): ("/danh-sach/DS-9/chia-se", LISTERS),
    ("POST", "/danh-sach/{ma}/ghi-chu"): ("/danh-sach/DS-9/ghi-chu", LISTERS),
    ("GET", "/danh-sach/{ma}/in"): ("/danh-sach/DS-9/in", LISTERS),
    ("POST", "/danh-sach/{ma}/mo-lai"): ("/danh-sach/DS-9/mo-lai", LISTERS),
    ("POST", "/danh-sach/{ma}/quyet-dinh"): ("/danh-sach/DS-9/quyet-dinh", LISTERS),
    ("GET", "/danh-sach/{ma}/so-sanh"): ("/danh-sach/DS-9/so-sanh", LISTERS),
    ("GET", "/danh-sach/{ma}/tai/{tep}"): ("/danh-sach/DS-9/tai/danh-sach.csv", LISTERS),
    ("POST", "/danh-sach/{ma}/ten"): ("/danh-sach/DS-9/ten", LISTERS),
    ("POST", "/danh-sach/{ma}/thu-tu"): ("/danh-sach/DS-9/thu-tu", LISTERS),
    ("POST", "/danh-sach/{ma}/xoa"): ("/danh-sach/DS-9/xoa", LISTERS),
    ("GET", "/de-xuat-doc"): ("/de-xuat-doc", STATING),
    ("POST", "/de-xuat-doc/{ma}"): ("/de-xuat-doc/VB-9", STATING),
    ("GET", "/ke-hoach-nam"): ("/ke-hoach-nam", PLANNING),
    ("POST", "/ke-hoach-nam"): ("/ke-hoach-nam", PLANNING),
    ("GET", "/ke-hoach-nam/{ma}"): ("/ke-hoach-nam/dot-2020-01-01", PLANNING),
    ("POST", "/ke-hoach-nam/{ma}/dung"): ("/ke-hoach-nam/dot-2020-01-01/dung", PLANNING),
    ("GET", "/ke-hoach-nam/{ma}/tai/{tep}"): (
        "/ke-hoach-nam/dot-2020-01-01/tai/ket-qua.xlsx",
        PLANNING,
    ),
    ("GET", "/ke-hoach-nam/{ma}/danh-muc"): ("/ke-hoach-nam/dot-2020-01-01/danh-muc", PLANNING),
    ("POST", "/ke-hoach-nam/{ma}/danh-muc"): ("/ke-hoach-nam/dot-2020-01-01/danh-muc", PLANNING),
    ("GET", "/ke-hoach-nam/{ma}/danh-muc/luat-mac-dinh.xlsx"): (
        "/ke-hoach-nam/dot-2020-01-01/danh-muc/luat-mac-dinh.xlsx",
        PLANNING,
    ),
    ("GET", "/ke-hoach-nam/{ma}/danh-muc/{ban}"): (
        "/ke-hoach-nam/dot-2020-01-01/danh-muc/ban-1",
        PLANNING,
    ),
    ("GET", "/ke-hoach-nam/{ma}/danh-muc/{ban}/dong/{id:path}"): (
        "/ke-hoach-nam/dot-2020-01-01/danh-muc/ban-1/dong/DX-001",
        PLANNING,
    ),
    ("GET", "/ke-hoach-nam/{ma}/danh-muc/{ban}/tai/{tep}"): (
        "/ke-hoach-nam/dot-2020-01-01/danh-muc/ban-1/tai/plan.json",
        PLANNING,
    ),
    ("POST", "/ke-hoach-nam/{ma}/danh-muc/{ban}/y-kien"): (
        "/ke-hoach-nam/dot-2020-01-01/danh-muc/ban-1/y-kien",
        PLANNING,
    ),
    ("GET", "/danh-muc-uu-tien"): ("/danh-muc-uu-tien", PLANNING),
    ("POST", "/danh-muc-uu-tien"): ("/danh-muc-uu-tien", PLANNING),
    ("GET", "/danh-muc-uu-tien/{ma}"): ("/danh-muc-uu-tien/DM-9", PLANNING),
    ("POST", "/danh-muc-uu-tien/{ma}"): ("/danh-muc-uu-tien/DM-9", PLANNING),
    ("GET", "/phieu/{id:path}"): ("/phieu/DX-001", PLANNING),
    ("GET", "/nhiem-vu/{id:path}"): ("/nhiem-vu/NV-001", PLANNING),
    ("POST", "/ke-hoach-nam/{ma}/tiep"): ("/ke-hoach-nam/dot-2020-01-01/tiep", PLANNING),
    ("GET", "/nhap-du-lieu"): ("/nhap-du-lieu", IMPORTING),
    ("POST", "/nhap-du-lieu"): ("/nhap-du-lieu", IMPORTING),
    ("POST", "/nhap-du-lieu/chi-muc"): ("/nhap-du-lieu/chi-muc", IMPORTING),
    ("GET", "/nhap-du-lieu/{token}"): ("/nhap-du-lieu/00000000000000000000000000000000", IMPORTING),
    ("POST", "/nhap-du-lieu/{token}"): (
        "/nhap-du-lieu/00000000000000000000000000000000",
        IMPORTING,
    ),
    ("GET", "/nhap-du-lieu/{token}/ket-qua"): (
        "/nhap-du-lieu/00000000000000000000000000000000/ket-qua",
        IMPORTING,
    ),
    ("POST", "/nhap-du-lieu/{token}/nap"): (
        "/nhap-du-lieu/00000000000000000000000000000000/nap",
        IMPORTING,
    ),
    ("GET", "/nhap-du-lieu/{token}/tu-choi{suffix}"): (
        "/nhap-du-lieu/00000000000000000000000000000000/tu-choi.csv",
        IMPORTING,
    ),
    ("GET", "/nhap-du-lieu/{token}/xem-truoc"): (
        "/nhap-du-lieu/00000000000000000000000000000000/xem-truoc",
        IMPORTING,
    ),
    ("POST", "/nhap-du-lieu/{token}/xoa"): (
        "/nhap-du-lieu/00000000000000000000000000000000/xoa",
        IMPORTING,
    ),
    ("GET", "/nhu-cau/{id:path}"): ("/nhu-cau/N-1", KNOWN),
    ("GET", "/san-pham"): ("/san-pham", KNOWN),
    ("GET", "/san-pham/{id:path}"): ("/san-pham/SP-1", KNOWN),
    ("GET", "/so-huu/{id:path}"): ("/so-huu/N-1", KNOWN),
    ("GET", "/tim-kiem-da-luu"): ("/tim-kiem-da-luu", KNOWN),
    ("POST", "/tim-kiem-da-luu"): ("/tim-kiem-da-luu", KNOWN),
    ("POST", "/tim-kiem-da-luu/{ma}/da-xem"): ("/tim-kiem-da-luu/TK-9/da-xem", KNOWN),
    ("POST", "/tim-kiem-da-luu/{ma}/xoa"): ("/tim-kiem-da-luu/TK-9/xoa", KNOWN),
    ("GET", "/tong-quan"): ("/tong-quan", KNOWN),
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
def service(tmp_path_factory, tables_read_once):
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.workspace.Workspace.encoder", lambda *_: (None, ""))
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
