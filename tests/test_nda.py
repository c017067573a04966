"""Text under NDA changes no byte of what anybody without the right to it is answered, anywhere.

Two work folders are the same to the last row but for that text, as if it had always been so: in the
second it is written over, and everything made of it is made anew. Every GET route of the table is
asked there by a reader, else an officer, else an administrator, none of whom has the right.
"""

import shutil
from urllib.parse import quote

import argon2
import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY
from test_routes import TABLE

from corpus.records import Technology
from corpus.schema import record_table
from corpus.store import Store
from corpus.workflow import Listed
from service.access import Rules
from service.app import create_app
from service.desk import Desk
from service.imports import Imports
from service.person import Person
from service.workspace import Workspace

POND = next(each for each in TECHNOLOGIES if each.restricted)
# Words that others search for, other records' words, nothing at all, and what breaks out of HTML.
OTHERS = (
    {"detail": "Sấy vải nhãn dứa tôm bằng lò khác hẳn, giữ đỏ vỏ.", "effect": "0 %",
     "contact": "Bà Lê Thị Khác", "cost_from": 1.0},
    {"detail": '</script>"><b>' + "sấy, " * 300 + "sấy",
     "effect": None, "contact": None, "cost_from": None},
)  # fmt: skip
MORE = (  # what the routes are asked besides the one path of the table
    "/api/v1/search?q=vi khuẩn bí mật BX-77 khử nitrit&k=100",
    "/api/v1/search?q=tôm&k=1",
    "/api/v1/search?q=sấy vải&k=2&price_max=1000",
    "/api/v1/search?q=Nguyễn Văn Thử&price_above=800",
    "/api/v1/matches?text=ao nuôi tôm&budget=100",
    "/api/v1/matches?product=SP-1",
    "/api/v1/technologies?facets=true&k=3",
    "/api/v1/technologies/CN-8",
    "/api/v1/technologies/CN-8/takers",
    "/api/v1/technologies/CN-8/similar",
    "/api/v1/exports/technologies?format=jsonl",
    "/api/v1/exports/technologies?format=xlsx",
    "/api/v1/exports/technologies?price_max=950",
    *(f"/api/v1/lists/DS-0001/export?format={each}" for each in ("xlsx", "json", "annex")),
    "/?q=ao nuôi tôm tuần hoàn", "/?q=khu nitrit", "/?q=bx-77", "/?q=tôm&gia=900",
    "/cong-nghe/CN-8", "/cong-nghe?q=tôm",
    "/danh-sach/DS-0001/tai/danh-sach.xlsx",
    "/danh-sach/DS-0001/tai/lien-he.docx",
    "/danh-sach/DS-0001/so-sanh?dong=CN-8%09N-4&dong=CN-6%09N-4",
    "/nhap-du-lieu/{token}/tu-choi.csv",
    "/api/v1/technologies/CN-8/x", "/api/v1/needs/BX-77",
)  # fmt: skip
NAMED = {
    "DS-9": "DS-0001",
    "0" * 32: "{token}",
    "imports/0": "imports/{token}",
    "decisions/N-1": "decisions/{decision}",
    "searches/DS-0001": "searches/TK-0001",
    "so-huu/N-1": f"so-huu/{quote('Viện Thử Nghiệm')}",
}
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ROLES = ("reader", "officer", "administrator")


@pytest.fixture(scope="module")
def first(tmp_path_factory, tables_read_once):
    """A folder with everything in it, whom to ask as, and what in it is called how."""
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    app = create_app(space, TODAY, 0.0, Rules(local=False))
    register, shown = app.state.register, {}
    register.accounts._hasher = QUICK
    for role in sorted(ROLES):
        register.accounts.add(role, role, role, "một câu dài dễ nhớ")
        shown[role] = register.tokens.issue(role, "x", "admin")[1]
    officer = Person("officer", "officer", "officer")
    with Store.open(folder) as store:
        desk = Desk(store, officer)
        items = [Listed(technology=each, need="N-4") for each in ("CN-8", "CN-6")]
        desk.start_list("Đợt 1", product="SP-1", items=items)
        decision = desk.decide("CN-8", "từ chối", need="N-4", list_id="DS-0001")
        file = "Mã,Tên công nghệ,Mô tả chi tiết\nCN-8,Ao mới,x\nCN-7,Kho mới,y\n"
        upload = folder / "a.csv"
        upload.write_text(file, encoding="utf-8")
        with upload.open("rb") as stream:
            kept = Imports(space, store, register.ledger, officer).receive("a.csv", stream)
    search = {"name": "Ao", "search": {"q": "ao nuôi tôm bằng vi khuẩn"}}
    with TestClient(app) as client:
        for role in ROLES:
            given = {"Authorization": f"Bearer {shown[role]}"}
            assert client.post("/api/v1/searches", json=search, headers=given).status_code == 201
    space.build(None)  # through the same revision as the copies
    return folder, shown, {"token": kept.token, "decision": quote(decision.key)}


def questions():
    """Who is asked what: every GET path of the table, with names that there are, and more.

    Each by the least of those who may ask; all of them are answered by the public's matcher.
    """
    asked = [(path, who) for (method, _), (path, who) in TABLE.items() if method == "GET"]
    found = [(next(each for each in ROLES if each in who), url) for url, who in asked]
    for old, new in NAMED.items():
        found = [(role, url.replace(old, new)) for role, url in found]
    work = ("/api/v1/lists", "/danh-sach", "/nhap-du-lieu")
    more = [("officer" if url.startswith(work) else "reader", url) for url in MORE]
    return [*found, *more]


def answers(folder, shown, named):
    """What everybody is answered to every question: body and headers that say something."""
    app = create_app(Workspace(folder), TODAY, 30.0, Rules(local=False))
    told = ("content-type", "etag", "location", "x-total-count", "content-disposition")
    found = {}
    with TestClient(app, raise_server_exceptions=False) as client:
        for role, url in questions():
            given = {"Authorization": f"Bearer {shown[role]}", "Accept": "text/html"}
            answer = client.get(url.format(**named), headers=given, follow_redirects=False)
            assert answer.status_code < 500, url
            body = answer.content.replace(str(folder).encode(), b"")  # one page tells it
            if url == "/metrics":  # seconds are never the same
                lines = answer.text.splitlines()
                body = [one for one in lines if "seconds" not in one and "_created" not in one]
            head = {name: answer.headers.get(name) for name in told}
            found[role, url] = answer.status_code, head, body
    return found


def rewritten(folder, target, facts):
    """A copy of ``folder`` in which the text under NDA was another one from the beginning."""
    shutil.copytree(folder, target)
    shutil.rmtree(target / "index")
    other = POND.model_copy(update=facts)
    assert other.public() == POND.public()
    table = record_table.c
    where = (table.kind == Technology.kind_name) & (table.id == POND.id)
    with Store.open(target) as store:
        with store.database.transaction(write=True) as connection:
            connection.execute(record_table.update().where(where).values(body=other.to_json()))
        assert store.get(Technology, POND.id) == other
    Workspace(target).build(None)
    return target


@pytest.fixture(scope="module")
def before(first):
    return answers(*first)


@pytest.mark.parametrize("facts", OTHERS, ids=["words of others", "nothing, or much"])
def test_no_byte_depends_on_text_under_nda(first, before, tmp_path, facts):
    folder, shown, named = first
    after = answers(rewritten(folder, tmp_path / "data", facts), shown, named)
    assert [key for key in before if before[key] != after[key]] == []


def test_the_questions_are_answered(before):
    """Of what is asked most is found and allowed: the test above compares more than refusals."""
    asked = [status for status, _, _ in before.values()]
    assert sum(status == 200 for status in asked) > 0.8 * len(asked)


def test_with_the_right_it_does(first):
    folder, _, _ = first
    with Workspace(folder).open(TODAY, audience="all") as opened:
        found = opened.matcher.answer(opened.matcher.text("khử nitrit BX-77"), 1)
        assert found.matches[0].technology.id == POND.id
