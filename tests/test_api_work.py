"""Work through the API: ETags, requests sent twice, and work that goes on without an index."""

import shutil

import pytest
from fastapi.testclient import TestClient
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.store import Store
from service import contract, contract_work
from service.app import create_app
from service.workspace import Workspace


@pytest.fixture
def space(tmp_path):
    with Store.create(tmp_path) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    space = Workspace(tmp_path)
    space.build(None)
    return space


@pytest.fixture
def client(space):
    with TestClient(create_app(space, TODAY, 0.0), raise_server_exceptions=False) as client:
        yield client


def refused(response, status, code):
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    assert response.json()["error"]["code"] == code


def match(response):
    return {"If-Match": response.headers["etag"]}


STATED = {"product": "SP-1", "text": "Tách hạt vải bằng máy", "budget": 90}


def test_a_need_is_stated_changed_withdrawn_and_remembered(client):
    made = client.post("/api/v1/needs", json=STATED)
    assert made.status_code == 201
    contract.NeedBody.model_validate(made.json())
    url = made.headers["location"]
    read = client.get(url)
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    changed = client.patch(url, json={"budget": 120, "stage": None}, headers=match(read))
    assert (changed.json()["budget"], changed.json()["text"]) == (120, STATED["text"])
    refused(client.patch(url, json={"budget": 1}, headers=match(read)), 412, "stale_etag")
    gone = client.post(f"{url}/withdraw", json={"reason": "đã xong"}, headers=match(changed))
    assert gone.json()["status"] == "đã rút"
    story = client.get(f"{url}/history").json()
    assert [each["action"] for each in story] == ["added", "changed", "changed"]
    assert story[0]["after"]["budget"] == 90
    for each in story:
        contract_work.Change.model_validate(each)


CHANGES = [
    ("PATCH", "needs/N-1", {"budget": 3}),
    ("POST", "needs/N-1/withdraw", {}),
    ("PATCH", "lists/DS-0001", {"name": "x"}),
    ("DELETE", "lists/DS-0001", None),
    ("POST", "lists/DS-0001/items", {"items": [{"technology": "CN-2"}]}),
    ("DELETE", "lists/DS-0001/items?technology=CN-1", None),
    ("PUT", "lists/DS-0001/order", {"items": [{"technology": "CN-1"}]}),
    ("PUT", "lists/DS-0001/shared", {"logins": ["lan"]}),
    ("POST", "lists/DS-0001/handover", {}),
    ("POST", "lists/DS-0001/reopen", None),
]


@pytest.mark.parametrize(("method", "url", "sent"), CHANGES)
def test_a_change_names_what_its_sender_saw(client, method, url, sent):
    client.post("/api/v1/lists", json={"name": "Đợt 1", "items": [{"technology": "CN-1"}]})
    url = f"/api/v1/{url}"
    refused(client.request(method, url, json=sent), 428, "if_match_needed")
    old = {"If-Match": '"' + "0" * 64 + '"'}
    refused(client.request(method, url, json=sent, headers=old), 412, "stale_etag")


def test_a_create_sent_twice_is_made_once(client):
    for url, sent, other in (
        ("needs", STATED, {**STATED, "budget": 91}),
        ("lists", {"name": "Đợt 1"}, {"name": "Đợt 2"}),
        ("searches", {"name": "Sấy", "search": {"q": "sấy"}}, {"name": "S", "search": {"q": "s"}}),
    ):
        key = {"Idempotency-Key": f"khoa-{url}"}
        first = client.post(f"/api/v1/{url}", json=sent, headers=key)
        again = client.post(f"/api/v1/{url}", json=sent, headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        assert again.headers["location"] == first.headers["location"]
        refused(client.post(f"/api/v1/{url}", json=other, headers=key), 422, "key_reused")
    assert len(client.get("/api/v1/lists").json()) == 1


def test_a_list_from_start_to_handover(client):
    items = [{"technology": "CN-1", "need": "N-1"}, {"technology": "CN-2"}]
    made = client.post("/api/v1/lists", json={"name": "Đợt 1", "product": "SP-1", "items": items})
    contract_work.ListBody.model_validate(made.json())
    assert made.json()["index_version"].startswith("snapshot-")
    url = made.headers["location"]
    order = {"items": list(reversed(items))}
    ordered = client.put(f"{url}/order", json=order, headers=match(made))
    assert [each["technology"] for each in ordered.json()["items"]] == ["CN-2", "CN-1"]
    handed = client.post(f"{url}/handover", json={}, headers=match(ordered))
    assert handed.json()["status"] == "đã bàn giao"
    late = {"name": "x"}
    refused(client.patch(url, json=late, headers=match(handed)), 409, "handed_over")
    assert client.delete(url, headers=match(handed)).status_code == 204
    refused(client.get(url), 404, "unknown_id")


def test_a_decision_is_recorded_and_amended(client):
    sent = {"technology": "CN-1", "need": "N-1", "outcome": "từ chối", "reason": "quá xa"}
    made = client.post("/api/v1/decisions", json=sent)
    assert made.status_code == 201, made.text
    contract_work.DecisionBody.model_validate(made.json())
    url = made.headers["location"]
    amended = client.patch(url, json={"next_step": "gọi lại"}, headers=match(made))
    assert (amended.json()["next_step"], amended.json()["reason"]) == ("gọi lại", "quá xa")
    (found,) = client.get("/api/v1/decisions?technology=CN-1").json()
    assert found == amended.json()
    refused(client.post("/api/v1/decisions", json=sent), 409, "exists")


def test_a_judgment_is_made_once_and_then_changed(client):
    sent = {"need": "N-1", "technology": "CN-1", "grade": 3}
    made = client.post("/api/v1/judgments", json=sent)
    assert made.status_code == 201
    refused(client.post("/api/v1/judgments", json={**sent, "grade": 1}), 412, "stale_etag")
    again = client.put("/api/v1/judgments", json={**sent, "grade": 2}, headers=match(made))
    assert client.get("/api/v1/judgments?need=N-1").json() == [again.json()]


def test_a_kept_search_tells_what_is_new(client, space):
    sent = {"name": "Sấy", "search": {"q": "sấy vải", "trl_min": 5}}
    made = client.post("/api/v1/searches", json=sent)
    url = made.headers["location"]
    told = client.get(f"{url}/new").json()
    assert (told["new"], told["gone"], told["index_changed"]) == ([], [], False)
    with Store.open(space.folder) as store:
        store.save([TECHNOLOGIES[0].model_copy(update={"id": "MỚI-1"})])
    space.build(None)
    told = client.get(f"{url}/new").json()
    assert (told["new"], told["index_changed"]) == (["MỚI-1"], True)
    seen = client.post(f"{url}/seen", headers=match(made))
    assert client.get(f"{url}/new").json()["new"] == []
    assert client.delete(url, headers=match(seen)).status_code == 204


def test_work_goes_on_without_an_index(client, space):
    shutil.rmtree(space.index_folder)
    refused(client.get("/api/v1/search?q=sấy"), 503, "no_index")
    made = client.post("/api/v1/lists", json={"name": "Đợt 1"})
    assert (made.status_code, made.json().get("index_version")) == (201, None)
    assert client.post("/api/v1/needs", json=STATED).status_code == 201
    sent = {"technology": "CN-1", "need": "N-1", "outcome": "từ chối"}
    assert client.post("/api/v1/decisions", json=sent).status_code == 201


BAD = {
    "too long": {**STATED, "asker": "x" * 1_001},
    "a megabyte": {**STATED, "text": "x" * 1_000_000},
    "wrong type": {**STATED, "budget": {"a": 1}},
    "unknown field": {**STATED, "id": "N-1"},
    "no product": {**STATED, "product": "../../etc/passwd"},
    "lone surrogate": '{"product": "SP-1", "text": "\\ud800"}',
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_bad_input_is_refused_by_name(client, sent):
    given = {"content": sent} if isinstance(sent, str) else {"json": sent}
    headers = {"content-type": "application/json"}
    response = client.post("/api/v1/needs", **given, headers=headers)
    refused(response, 422, "invalid")
    assert len(response.text) < 600


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE record; --", "a\x00b"]
)
def test_what_looks_dangerous_is_only_text(client, text):
    made = client.post("/api/v1/needs", json={**STATED, "text": text})
    assert made.status_code == 201
    assert made.json()["text"] == text.replace("\x00", " ")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b""])
def test_what_is_no_json_object_is_refused(client, content):
    headers = {"content-type": "application/json"}
    response = client.post("/api/v1/needs", content=content, headers=headers)
    assert response.status_code in {400, 422}
    assert set(response.json()) == {"error"}


def test_an_id_of_control_characters_alone_is_refused(client):
    sent = {"name": "Đợt 1", "items": [{"technology": "\x18"}]}
    refused(client.post("/api/v1/lists", json=sent), 422, "invalid")
