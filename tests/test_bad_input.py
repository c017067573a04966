"""Whatever is sent where something else belongs is refused with the one body, and nothing is kept.

The table of what is wrong is held against every body and every parameter that the service's own
document describes, so that a new field is tested by being there.
"""

import sqlite3
from contextlib import closing
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus import database
from corpus.records import Need
from corpus.store import FILE, Store
from service.app import create_app
from service.workspace import Workspace

LONG = "ă" * 1_000_001  # a body of 2 MB
WRONG = {  # of what type a field is → what does not belong there
    "string": [7, None, ["a"], {"a": 1}, True, "a" * 60_000, "\ud800"],
    "integer": ["chín", 1.5, 10**400, [], -1, None],
    "number": ["rẻ", -1, 1e300, [], {}],
    "boolean": ["có lẽ", 7, []],
    "array": ["a", 7, [[]], [{"a": {}}] * 3, ["a"] * 5_000],
    "object": ["a", 7, [], {"không có": 1}],
}
HOSTILE = (
    "\x00\x01\x1b[31m", "<script>alert(1)</script>", "'; DROP TABLE record; --",
    "../../../../etc/passwd", "%2e%2e%2f", "{{7*7}}", "\u202e\u200b", "=cmd|' /C calc'!A0",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory, tables_read_once):
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    with TestClient(create_app(space, TODAY, 60.0), raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def resolved(document, schema):
    """A schema with its reference followed, and of a choice the part that is not null."""
    while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            parts = schema.get("anyOf") or schema["allOf"]
            nullable = any(each.get("type") == "null" for each in parts)
            schema = next(each for each in parts if each.get("type") != "null")
            schema = {**resolved(document, schema), "nullable": nullable}
    return schema


def operations(document, body):
    """Method, path with ids filled in, and description of every operation with or without body."""
    for path, item in document["paths"].items():
        url = path.replace("{id}", "CN-1").replace("{name}", "x")
        for method, each in item.items():
            if ("requestBody" in each) is body:
                yield method, url, each


def refused(answer, *where):
    """The one error body, a status that blames the sender, and nothing of the program's inside."""
    assert 400 <= answer.status_code < 500, (where, answer.status_code, answer.text[:200])
    assert set(answer.json()) == {"error"}, where
    assert set(answer.json()["error"]) == {"code", "message"}, where
    assert "Traceback" not in answer.text and len(answer.text) < 5_000, where


def revision(client):
    return client.app.state.shelf.store().state()


def good(document, schema):
    """A body whose every required field is of the right kind."""
    return {
        name: sample(document, schema["properties"][name]) for name in schema.get("required", ())
    }


def sample(document, schema):
    schema = resolved(document, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [sample(document, schema["items"])] if schema.get("minItems") else []
    if schema.get("type") == "object":
        return good(document, schema)
    return {"string": "2026-12-01" if schema.get("format") == "date" else "x"}.get(
        schema.get("type"), 1
    )


def fields(document, schema, path=()):
    """Every field of a body, those of its parts too: path and schema."""
    for name, each in resolved(document, schema).get("properties", {}).items():
        field = resolved(document, each)
        yield (*path, name), field
        inner = resolved(document, field["items"]) if field.get("type") == "array" else field
        if "properties" in inner:
            yield from fields(document, inner, (*path, name))


def with_wrong(document, schema, path, value):
    """A good body but for one field, which stands in its part of a list or an object."""
    schema = resolved(document, schema)
    body, (name, *rest) = good(document, schema), path
    if not rest:
        return {**body, name: value}
    field = resolved(document, schema["properties"][name])
    if field.get("type") == "array":
        return {**body, name: [with_wrong(document, field["items"], rest, value)]}
    return {**body, name: with_wrong(document, field, rest, value)}


def test_every_field_of_every_body(client, document):
    before, asked = revision(client), 0
    headers = {"If-Match": '"0"'}
    for method, url, each in operations(document, body=True):
        content = each["requestBody"]["content"]
        if "application/json" not in content:
            continue  # a file: tests/test_api_files.py
        schema = content["application/json"]["schema"]
        for path, field in fields(document, schema):
            for value in WRONG.get(field.get("type"), ["một", 7, []]):
                if value is None and field.get("nullable"):
                    continue
                if isinstance(value, list | dict) and not value and field.get("type") == "array":
                    continue
                sent = with_wrong(document, schema, path, value)
                try:
                    answer = client.request(method, url, json=sent, headers=headers)
                except (UnicodeEncodeError, ValueError):  # no client can send it
                    continue
                refused(answer, method, url, path, value)
                asked += 1
    assert revision(client) == before
    assert asked > 150


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xfe{", "application/json"),
        (b'{"name": "\xc3\x28"}', "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"<a/>", "application/xml"),
        (b"name=x", "application/x-www-form-urlencoded"),
        (LONG.encode(), "application/json"),
        (b'{"name": "' + b"a" * 1_000_000 + b'"}', "application/json"),
        (b"null", "application/json"),
        (b"", "application/json"),
    ],
    ids=["no text", "broken UTF-8", "cut", "deep", "XML", "a form", "2 MB", "1 MB", "null", "none"],
)
def test_every_body_of_another_kind(client, document, content, kind):
    before = revision(client)
    for method, url, _ in operations(document, body=True):
        headers = {"Content-Type": kind, "If-Match": '"0"'}
        refused(client.request(method, url, content=content, headers=headers), method, url)
    assert revision(client) == before


def test_every_parameter(client, document):
    asked = 0
    for method, url, each in operations(document, body=False):
        for parameter in each.get("parameters", ()):
            if method != "get" or parameter["in"] != "query":
                continue
            schema = resolved(document, parameter["schema"])
            wrong = (
                ["chín", "1" * 5_000, "-1"] if schema.get("type") in {"integer", "number"} else []
            )
            wrong += ["có lẽ"] if schema.get("type") == "boolean" else []
            wrong += ["không phải"] if "enum" in schema or schema.get("format") == "date" else []
            for value in wrong:
                answer = client.get(url, params={parameter["name"]: value})
                refused(answer, url, parameter["name"], value)
                asked += 1
        if method == "get" and url.startswith("/api/"):
            refused(client.get(url, params={"không có": "x"}), url)
    assert asked > 60


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_text(client, text):
    """What a person may have meant is kept as it is, or refused; it never does anything."""
    made = client.post("/api/v1/needs", json={"product": "SP-1", "text": f"a{text}"})
    assert made.status_code in {201, 422}
    if made.status_code == 201:
        page = client.get(f"/nhu-cau/{made.json()['id']}", headers={"accept": "text/html"}).text
        assert "<script>alert" not in page and "a49" not in page
        url, tag = made.headers["location"], {"If-Match": made.headers["etag"]}
        client.patch(url, json={"text": "đã xem"}, headers=tag)
    for url in ("/api/v1/technologies/{}", "/api/v1/needs/{}/history", "/api/v1/lists/{}"):
        answer = client.get(url.format(quote(text, safe="")))
        assert answer.status_code in {400, 404, 422} or answer.json() == []


# What the store cannot do -------------------------------------------------------------------------


def unavailable(answer, said):
    assert answer.status_code == 503, answer.text
    assert set(answer.json()) == {"error"} and said in answer.json()["error"]["message"]


NEED = {"product": "SP-1", "text": "Tách hạt vải"}


def test_a_store_that_others_write_says_to_wait_and_reading_goes_on(client, monkeypatch):
    store = client.app.state.shelf.store()
    before = store.state()
    monkeypatch.setattr(database, "BUSY_MS", 1)
    with closing(sqlite3.connect(store.database.folder / FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        unavailable(client.post("/api/v1/needs", json=NEED), "chờ rồi chạy lại")
        assert client.get("/api/v1/needs").status_code == 200
        assert client.get("/api/v1/search?q=sấy").status_code == 200
        other.rollback()
    assert store.state() == before
    assert client.post("/api/v1/needs", json=NEED).status_code == 201


@pytest.mark.parametrize(
    ("pragma", "said"),
    [("query_only = 1", "quyền ghi"), ("max_page_count = 1", "đã đầy")],
    ids=["read-only", "full"],
)
def test_a_store_that_cannot_be_written_keeps_what_it_has(client, pragma, said):
    """As SQLite itself answers on a read-only or a full disk, which root does not run into."""
    store = client.app.state.shelf.store()
    before, needs = store.state(), store.all(Need)
    engine = store.database.engine

    def limit(connection, _):
        connection.execute(f"PRAGMA {pragma}")

    database.sa.event.listen(engine, "connect", limit)
    try:
        unavailable(client.post("/api/v1/needs", json={**NEED, "text": "x " * 9_000}), said)
        assert client.get("/api/v1/needs").status_code == 200
    finally:
        database.sa.event.remove(engine, "connect", limit)
    assert (store.state(), store.all(Need)) == (before, needs)
    assert client.post("/api/v1/needs", json=NEED).status_code == 201
