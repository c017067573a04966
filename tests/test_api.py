"""The API: every route and its failures, what the public never sees, and a change under way."""

import contextlib
import datetime as dt
import fcntl
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi.openapi.models import OpenAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from small import NEEDS, PRODUCTS, TECHNOLOGIES, TODAY

from corpus.records import Need, Product, Technology
from corpus.store import Store
from matcher.match import Matcher
from matcher.search import EncoderFailed, Engine
from service import cli, contract, payloads
from service.app import Health, Ready, create_app
from service.live import Live
from service.serving import loopback
from service.settings import Exit
from service.workspace import Workspace

*OTHERS, POND = TECHNOLOGIES
POND = POND.model_copy(update={"cost_from": 917.25})  # a price that no score looks like
SECRETS = ("BX-77", "khử nitrit", "92 %", "Nguyễn Văn Thử", "917.25", "917,25")
ANSWERS = {  # one good request of every route, or two where it has two kinds of answer
    "/health": Health,
    "/ready": Ready,
    "/api/v1/search?q=sấy vải": contract.Found,
    "/api/v1/matches?product=SP-1": contract.ProductList,
    "/api/v1/matches?need=N-1": contract.Answer,
    "/api/v1/technologies/CN-2": contract.TechnologyBody,
    "/api/v1/technologies": contract.Browsed,
    "/api/v1/technologies/CN-2/takers": list[contract.Taker],
    "/api/v1/technologies/CN-2/similar": list[contract.Similar],
    "/api/v1/owners": list[contract.OwnerLine],
    "/api/v1/owners/Viện Thử Nghiệm": contract.Owner,
    "/api/v1/products": list[Product],
    "/api/v1/products/SP-3": contract.ProductBody,
    "/api/v1/needs": list[Need],
    "/api/v1/needs/N-2": contract.NeedBody,
}
FAILURES = {  # request → status, code, what the message says
    "/khong-co": (404, "unknown_route", "/openapi.json"),
    "/api/v1/search/": (404, "unknown_route", "địa chỉ"),
    "/api/v1/technologies/CN-99": (404, "unknown_id", "không có công nghệ mã 'CN-99'"),
    "/api/v1/technologies/CN-99/takers": (404, "unknown_id", "công nghệ mã 'CN-99'"),
    "/api/v1/technologies/../../etc/passwd": (404, "unknown_route", ""),
    "/api/v1/technologies/..%2F..%2Fetc": (404, "unknown_id", "'../../etc'"),
    "/api/v1/products/CN-1": (404, "unknown_id", "không có sản phẩm mã 'CN-1'"),
    "/api/v1/needs/' OR 1=1": (404, "unknown_id", "OR 1=1"),
    "/api/v1/matches?product=chuối": (404, "unknown_id", "sản phẩm mã 'chuối'"),
    "/api/v1/matches?need=N-9": (404, "unknown_id", "nhu cầu mã 'N-9'"),
    "/api/v1/matches?text=sấy&product=chuối": (404, "unknown_id", "'chuối'"),
    "/api/v1/search": (422, "invalid", "q: thiếu"),
    "/api/v1/search?q=a&k=abc": (422, "invalid", "k: phải là số nguyên (nhận 'abc')"),
    "/api/v1/search?q=a&k=0": (422, "invalid", "k: không được nhỏ hơn 1 (nhận '0')"),
    "/api/v1/search?q=a&k=1001": (422, "invalid", "k: không được lớn hơn 1000"),
    "/api/v1/search?q=a&offset=-1": (422, "invalid", "offset: không được nhỏ hơn 0"),
    "/api/v1/search?q=a&trl_min=12": (422, "invalid", "trl_min: không được lớn hơn 9"),
    "/api/v1/search?q=a&price_max=rẻ": (422, "invalid", "price_max: phải là số (nhận 'rẻ')"),
    "/api/v1/search?q=a&price_max=nan": (422, "invalid", "price_max: phải là số hữu hạn"),
    "/api/v1/search?q=a&price_max=inf": (422, "invalid", "price_max: phải là số hữu hạn"),
    "/api/v1/search?q=a&valid=maybe": (422, "invalid", "valid: phải là true hoặc false"),
    "/api/v1/search?q=a&kind=": (422, "invalid", "kind: không được để trống"),
    "/api/v1/search?q=a&prise_max=3": (422, "invalid", "prise_max: không có tham số này"),
    f"/api/v1/search?q=a&year_from={'9' * 5000}": (422, "invalid", "year_from: "),
    "/api/v1/matches": (422, "invalid", "cần product, need hoặc text"),
    "/api/v1/matches?need=N-1&product=SP-1": (422, "invalid", "need không dùng cùng"),
    "/api/v1/matches?need=N-1&text=sấy": (422, "invalid", "need không dùng cùng"),
    "/api/v1/matches?product=SP-1&budget=2": (422, "invalid", "chỉ dùng cùng text"),
    "/api/v1/needs/N-1?k=3": (422, "invalid", "k: không có tham số này"),
}


pytestmark = pytest.mark.usefixtures("tables_read_once")


def prepare(folder, pond=POND):
    """Store and index the small collection in ``folder``."""
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *OTHERS, pond, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    return space


@contextlib.contextmanager
def served(space, every=0.0, as_of=TODAY):
    app = create_app(space, as_of, every)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def plain(response):
    """Read a response as strict JSON."""
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.content, parse_constant=pytest.fail)


def failure(response):
    """Read the one error body, and nothing else."""
    body = plain(response)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert "Traceback" not in response.text
    return response.status_code, body["error"]["code"], body["error"]["message"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def client(built):
    with served(built) as client:
        yield client


@pytest.fixture
def space(built, tmp_path):
    """A work folder that a test may change."""
    return Workspace(shutil.copytree(built.folder, tmp_path / "data"))


# Answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "shape"), ANSWERS.items())
def test_an_answer_has_the_shape_that_the_document_promises(client, url, shape):
    response = client.get(url)
    assert response.status_code == 200
    TypeAdapter(shape).validate_python(plain(response))


def test_every_route_is_asked_here(client):
    paths = client.get("/openapi.json").json()["paths"]
    work = ("lists", "decisions", "judgments", "searches")  # tests/test_api_work.py
    work += ("imports", "exports", "index")  # tests/test_api_files.py
    work += ("duplicates",)  # tests/test_duplicates.py
    paths = {path: each for path, each in paths.items() if not re.search("|".join(work), path)}
    paths = [path for path, each in paths.items() if "get" in each and "history" not in path]
    asked = {url.partition("?")[0] for url in ANSWERS}
    named = {"CN-2": "{id}", "SP-3": "{id}", "N-2": "{id}", "Viện Thử Nghiệm": "{name}"}
    assert {"/".join(named.get(part, part) for part in url.split("/")) for url in asked} == set(
        paths
    )


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("search?q=sấy vải&k=3", ["search", "sấy vải", "-k", "3"]),
        ("search?q=sấy&trl_min=8&valid=true", ["search", "sấy", "--trl-min", "8", "--valid"]),
        ("matches?product=SP-1", ["match", "SP-1"]),
        ("matches?product=vải sớm", ["match", "vải sớm"]),
        ("matches?need=N-2&k=2", ["match", "N-2", "-k", "2"]),
        ("matches?text=giữ đỏ vỏ", ["match", "--text", "giữ đỏ vỏ"]),
        (
            "matches?text=giữ đỏ&product=SP-1&budget=200&trl_min=7&place=Bắc Ninh",
            [
                "match",
                "SP-1",
                "--text",
                "giữ đỏ",
                "--budget=200",
                "--trl-min=7",
                "--place=Bắc Ninh",
            ],
        ),
        ("technologies/CN-2/takers", ["takers", "CN-2"]),
        ("technologies/CN-8", ["show", "CN-8"]),
        ("products/SP-1", ["show", "SP-1"]),
        ("needs/N-1", ["show", "N-1"]),
    ],
)
def test_the_api_answers_what_the_command_line_answers(client, built, capsys, url, command):
    day = [] if command[0] == "show" else ["--as-of", str(TODAY)]
    run([*command, "--json", "--data", str(built.folder), *day], Exit.DONE)
    answer = plain(client.get(f"/api/v1/{url}"))
    if "search" in url:  # pages and counts are for screens
        assert {"facets", "next"} <= answer.keys()
        del answer["facets"], answer["next"]
    assert answer == json.loads(capsys.readouterr().out)


def run(args, code):
    """Run the command in this process, as the console script would."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", ["cungcau", *args])
        cli.main()
    assert (stopped.value.code or 0) == code


def ids(client, query):
    body = plain(client.get(f"/api/v1/search?q=sấy bảo quản tôm vải nhãn&{query}"))
    return [each["id"] for each in (*body["matches"], *body["set_apart"])]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=thiết bị", {"CN-2"}),
        ("field=chế biến", {"CN-1"}),
        ("product=nhãn", {"CN-3"}),
        ("place=Bắc Giang", {"CN-1"}),
        ("trl_min=9", {"CN-3"}),
        ("price_max=100", {"CN-3"}),
        ("year_from=2022&product=vải", {"CN-2"}),
    ],
)
def test_a_filter_only_removes(client, query, expected):
    assert set(ids(client, query)) == expected
    assert [each for each in ids(client, "k=100") if each in expected] == ids(client, query)


def test_only_valid_technologies(client):
    assert "CN-3" in ids(client, "k=100")
    assert "CN-3" not in ids(client, "k=100&valid=1")


def test_pages_put_together_are_the_whole(client):
    def page(query):
        body = plain(client.get(f"/api/v1/search?q=sấy vải tôm nước dứa&{query}"))
        return body, [each["id"] for each in body["matches"]]

    whole, expected = page("k=100")
    pages = [page(f"k=2&offset={start}") for start in range(0, len(expected) + 2, 2)]
    assert len(expected) > 4
    assert [each for _, found in pages for each in found] == expected
    assert {(body["found"], body["total"]) for body, _ in pages} == {(True, whole["total"])}
    assert sum(len(body["set_apart"]) for body, _ in pages) == len(whole["set_apart"]) == 1


def follow(client, query, most=50):
    """All ids that following ``next`` gives, matches and those set apart."""
    found, apart, url = [], [], f"/api/v1/search?{query}"
    for _ in range(most):
        body = plain(client.get(url))
        found += [each["id"] for each in body["matches"]]
        apart += [each["id"] for each in body["set_apart"]]
        if body["next"] is None:
            return found, apart
        url = f"/api/v1/search?{query}&cursor={body['next']}"
    pytest.fail("pages without end")


@pytest.mark.parametrize("more", ["", "&trl_min=6", "&kind=quy trình&kind=thiết bị"])
def test_following_the_cursor_is_the_whole(client, more):
    query = f"q=sấy vải tôm nước dứa{more}"
    whole = plain(client.get(f"/api/v1/search?{query}&k=100"))
    expected = tuple([each["id"] for each in whole[side]] for side in ("matches", "set_apart"))
    assert len(expected[0]) > 1
    assert follow(client, f"{query}&k=1") == follow(client, f"{query}&k=3") == expected


def test_a_record_withdrawn_between_pages_moves_no_other(space, monkeypatch):
    with served(space) as client:
        query = "q=sấy vải tôm nước dứa&k=2"
        expected, _ = follow(client, query)
        first = plain(client.get(f"/api/v1/search?{query}"))
        plainly = Workspace.renewed

        def without(self, before, as_of):
            opened = plainly(self, before, as_of)
            known = {k: v for k, v in opened.matcher.technologies.items() if k != expected[0]}
            return replace(opened, matcher=replace(opened.matcher, technologies=known))

        monkeypatch.setattr(Workspace, "renewed", without)
        with Store.open(space.folder) as store:
            store.save([Need(id="N-9", product="SP-2", text="Cắt khoanh")])
        second = plain(client.get(f"/api/v1/search?{query}&cursor={first['next']}"))
        assert [each["id"] for each in second["matches"]] == expected[2:4]
        assert second["total"] == first["total"] - 1


def test_a_cursor_expires_with_its_index(space):
    with served(space) as client:
        first = plain(client.get("/api/v1/search?q=sấy vải&k=1"))
        url = f"/api/v1/search?q=sấy vải&k=1&cursor={first['next']}"
        assert client.get(url).status_code == 200
        publish(space, 1)
        assert failure(client.get(url))[:2] == (410, "expired_cursor")
        assert "trang đầu" in failure(client.get(url))[2]


def test_a_cursor_belongs_to_its_question(client):
    cursor = plain(client.get("/api/v1/search?q=sấy vải&k=1"))["next"]
    for url, told in (
        (f"search?q=sấy nhãn&k=1&cursor={cursor}", "câu hỏi khác"),
        (f"search?q=sấy vải&kind=quy trình&cursor={cursor}", "câu hỏi khác"),
        (f"search?q=sấy vải&offset=1&cursor={cursor}", "cursor không dùng cùng offset"),
        ("search?q=sấy vải&cursor=linh tinh", "không phải con trỏ"),
        (f"search?q=sấy vải&cursor={cursor[:-9]}", "không phải con trỏ"),
        ("search?q=sấy vải&cursor=bnVsbA", "không phải con trỏ"),
    ):
        status, code, message = failure(client.get(f"/api/v1/{url}"))
        assert (status, code) == (422, "invalid")
        assert told in message


def test_counts_are_the_totals_that_choosing_would_give(client):
    asked = "/api/v1/search?q=sấy bảo quản tôm vải nhãn&trl_min=6"
    body = plain(client.get(asked))
    counted = 0
    for facet in body["facets"]:
        for bucket in facet["buckets"]:
            kept = "" if facet["name"] == "trl" else "&trl_min=6"
            more = "".join(f"&{name}={value}" for name, value in bucket["choose"].items())
            other = plain(
                client.get(f"/api/v1/search?q=sấy bảo quản tôm vải nhãn{kept}{more}&facets=0")
            )
            assert other["total"] == bucket["count"], (facet["name"], bucket)
            assert other["facets"] is None
            counted += 1
    assert counted > 15


def test_technologies_are_browsed_by_id_with_filters(client):
    def all_of(query):
        found, cursor = [], ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            body = plain(client.get(f"/api/v1/technologies?{query}{more}"))
            found += [each["id"] for each in body["technologies"]]
            cursor = body["next"]
        assert len(found) == body["total"]
        return found

    assert all_of("k=3") == [each.id for each in TECHNOLOGIES]
    assert all_of("k=1&node=cây ăn quả&trl_min=7") == ["CN-1", "CN-3", "CN-5", "CN-6"]
    assert all_of("kind=quy trình&kind=thiết bị") == ["CN-1", "CN-2", "CN-3"]
    facets = plain(client.get("/api/v1/technologies?facets=1"))["facets"]
    assert {each["name"] for each in facets} >= {"kind", "place", "price"}


def test_an_owner_and_what_they_offer(client):
    (line,) = plain(client.get("/api/v1/owners"))
    assert line == {"name": "Viện Thử Nghiệm", "technologies": 1}
    body = plain(client.get("/api/v1/owners/Viện Thử Nghiệm"))
    assert [each["id"] for each in body["offers"]] == ["CN-1"]
    assert failure(client.get("/api/v1/owners/Viện Khác"))[:2] == (404, "unknown_owner")


def test_like_what_is_found_by_its_own_record(client):
    found = plain(client.get("/api/v1/technologies/CN-1/similar?k=2"))
    assert [each["id"] for each in found] == ["CN-2", "CN-3"]
    assert failure(client.get("/api/v1/technologies/CN-99/similar"))[0] == 404


def test_an_encoder_that_fails_leaves_an_answer_by_words_that_says_so(space, monkeypatch):
    def failing(*_, **__):
        raise EncoderFailed("hết bộ nhớ")

    with served(space) as client:
        expected = plain(client.get("/api/v1/search?q=sấy vải"))
        plainly = Engine.rank

        def rank(self, query, provinces=(), meaning=None, words_only=False, telling=None):
            return plainly(self, query, provinces, telling=telling) if words_only else failing()

        monkeypatch.setattr(Engine, "rank", rank)
        body = plain(client.get("/api/v1/search?q=sấy vải"))
        assert body["matches"] == expected["matches"]
        assert body["notices"] == ["Bộ mã hóa đang gặp lỗi: lần này chỉ tìm theo từ ngữ."]
        url = f"/api/v1/search?q=sấy vải&cursor={expected['next']}"
        if expected["next"]:
            assert client.get(url).status_code == 410


def test_lists_are_paged_in_the_order_of_ids(client):
    response = client.get("/api/v1/needs?k=2&offset=1")
    assert [each["id"] for each in plain(response)] == ["N-2", "N-3"]
    assert response.headers["X-Total-Count"] == "4"
    assert plain(client.get("/api/v1/products?offset=3")) == []


def test_what_a_need_cannot_pay_stands_apart(client):
    body = plain(client.get("/api/v1/matches?need=N-2"))
    (apart,) = [each for each in body["set_apart"] if each["id"] == "CN-2"]
    assert apart["breaches"][0]["rule"] == "budget"


@pytest.mark.parametrize("q", ["", "!?", "%00%01", "%FF%FE", "<script>", "và của", "tu " * 10_000])
def test_any_text_gets_a_defined_answer(client, q):
    response = client.get(f"/api/v1/search?q={q}")
    assert response.status_code == 200
    contract.Found.model_validate(plain(response))


def test_an_id_may_hold_a_slash(space):
    with Store.open(space.folder) as store:
        store.save([Technology(id="CN/2024/01", name="Sấy vải bằng lò")])
    with served(space) as client:
        for url in ("CN/2024/01", "CN%2F2024%2F01"):
            assert plain(client.get(f"/api/v1/technologies/{url}"))["id"] == "CN/2024/01"
            assert client.get(f"/api/v1/technologies/{url}/takers").status_code == 200


# Failures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "expected"), FAILURES.items(), ids=[url[:60] for url in FAILURES])
def test_a_failure_has_one_body(client, url, expected):
    status, code, message = failure(client.get(url))
    assert (status, code) == expected[:2]
    assert expected[2] in message
    assert len(message) < 400


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("url", [url for url in ANSWERS if "needs" not in url])
def test_nothing_can_be_changed_here(client, method, url):
    response = client.request(method, url)
    assert failure(response)[:2] == (405, "method_not_allowed")
    assert method.upper() in failure(response)[2]
    assert "GET" in response.headers["allow"]


def test_what_breaks_inside_is_not_told(client, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(Matcher, "answer", broken)
    response = client.get("/api/v1/search?q=sấy")
    assert failure(response)[:2] == (500, "internal")
    assert "secret" not in response.text
    assert client.get("/api/v1/needs/N-1").status_code == 200


def test_json_never_holds_nan(client, monkeypatch):
    monkeypatch.setattr(payloads, "answer", lambda _: {"score": math.nan})
    assert failure(client.get("/api/v1/search?q=sấy"))[:2] == (500, "internal")


@pytest.mark.parametrize("url", [url for url in ANSWERS if "needs" not in url and url != "/health"])
def test_without_an_index_every_route_says_what_to_do(tmp_path, url, caplog):
    with served(Workspace(tmp_path)) as client:
        assert plain(client.get("/health")) == {"status": "ok"}
        assert failure(client.get(url))[:2] == (503, "no_index")
        assert "cungcau load" in failure(client.get(url))[2]
        with Store.create(tmp_path) as store:
            store.save(PRODUCTS)
        assert "cungcau index" in failure(client.get(url))[2]
    assert len(caplog.records) == 2  # told once each, not at every look


# What is under NDA -------------------------------------------------------------------------------

PROBES = (
    *ANSWERS,
    "/openapi.json",
    "/api/v1/technologies/CN-8",
    "/api/v1/technologies/CN-8/takers",
    "/api/v1/search?q=vi khuẩn bí mật khử nitrit&k=100",
    "/api/v1/search?q=ao nuôi tôm tuần hoàn",
    "/api/v1/search?q=tôm&price_max=1000",
    "/api/v1/matches?text=ao nuôi tôm&budget=100",
    "/api/v1/technologies/CN-99",
)


@pytest.mark.parametrize("url", PROBES)
def test_text_under_nda_is_nowhere(client, url):
    body = client.get(url).text
    asked = client.get(url).json().get("query", "") if "search" in url else ""
    assert [each for each in SECRETS if each in body.replace(asked, "")] == []


def test_text_under_nda_changes_no_byte(client, tmp_path):
    changed = POND.model_copy(
        update={"detail": "Sấy vải nhãn bằng lò khác hẳn.", "cost_from": 1.0, "effect": "0 %"}
    )
    with served(prepare(tmp_path, changed)) as other:
        for url in PROBES:
            assert other.get(url).content == client.get(url).content, url


# A change under way ------------------------------------------------------------------------------


def publish(space, number):
    """Add a record that only this publication knows, and index it."""
    with Store.open(space.folder) as store:
        store.save([Technology(id=f"MỚI-{number}", name=f"Lò sấy vải kiểu mới số {number}")])
    space.build(None)


def held(folder):
    """Whether somebody has the snapshot in ``folder`` open."""
    with (folder / "lease").open() as lease:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_new_index_is_seen_and_requests_never_fail_meanwhile(space):
    stop = threading.Event()

    def ask(client):
        statuses = set()
        while not stop.is_set():
            response = client.get("/api/v1/search?q=lò sấy vải")
            found = plain(response)["matches"]
            statuses.add((response.status_code, bool(found)))
        return statuses

    with served(space) as client, ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, client) for _ in range(4)]
        try:
            for number in range(3):
                publish(space, number)
                found = plain(client.get(f"/api/v1/technologies/MỚI-{number}/takers"))
                assert isinstance(found, list)
        finally:
            stop.set()
        assert set().union(*(each.result() for each in asking)) == {(200, True)}
        assert ids(client, "product=kiểu mới") == ["MỚI-0", "MỚI-1", "MỚI-2"]


def test_a_request_ends_with_the_matcher_it_began_with(space):
    live = Live(space, TODAY, every=0)
    (old,) = space.index_folder.glob("snapshot-*")
    with live.lease() as first, live.lease() as also:
        assert first.matcher is also.matcher
        publish(space, 1)
        with live.lease() as second:
            assert second.matcher is not first.matcher
            assert "MỚI-1" in second.matcher.technologies
        assert "MỚI-1" not in first.matcher.technologies
        assert held(old)
    assert not held(old)
    (new,) = {*space.index_folder.glob("snapshot-*")} - {old}
    assert held(new)
    live.close()
    assert not held(new)


def test_while_one_opens_the_others_go_on_with_the_one_before(space, monkeypatch):
    live = Live(space, TODAY, every=0)
    with live.lease() as before:
        publish(space, 1)
    began, go = threading.Event(), threading.Event()
    plainly = Live._open

    def slowly(self, *args):
        began.set()
        assert go.wait(20)
        return plainly(self, *args)

    monkeypatch.setattr(Live, "_open", slowly)
    opener = threading.Thread(target=live.refresh)
    opener.start()
    assert began.wait(20)
    with live.lease() as meanwhile:
        assert meanwhile.matcher is before.matcher
    go.set()
    opener.join()
    with live.lease() as after:
        assert "MỚI-1" in after.matcher.technologies
    live.close()


def test_a_changed_store_is_seen_before_it_is_indexed(space):
    with served(space) as client:
        assert plain(client.get("/ready"))["index_notices"] == []
        with Store.open(space.folder) as store:
            store.save([Need(id="N-5", product="SP-2", text="Cắt khoanh nhanh hơn")])
        assert plain(client.get("/api/v1/needs/N-5"))["product"] == "SP-2"
        assert plain(client.get("/ready"))["index_notices"] == []  # the index holds no needs
        with Store.open(space.folder) as store:
            store.save([Technology(id="MỚI-9", name="Máy cắt khoanh khóm")])
        assert plain(client.get("/api/v1/technologies/MỚI-9"))["name"] == "Máy cắt khoanh khóm"
        (notice,) = plain(client.get("/api/v1/search?q=sấy"))["index_notices"]
        assert "1 thay đổi" in notice


def test_one_looks_at_most_once_in_a_while(space, monkeypatch):
    looks = []
    plainly = Live._look
    monkeypatch.setattr(Live, "_look", lambda *args: (looks.append(1), plainly(*args)))
    with served(space, every=3600) as client:
        publish(space, 1)
        for _ in range(5):
            assert client.get("/api/v1/technologies/MỚI-1").status_code == 404
    assert len(looks) == 1


def test_a_damaged_new_index_leaves_the_old_one_serving(space, caplog):
    with served(space) as client:
        (space.index_folder / "CURRENT").write_text("snapshot-không-có", encoding="utf-8")
        for _ in range(2):
            assert plain(client.get("/api/v1/search?q=sấy"))["matches"]
        (notice,) = plain(client.get("/ready"))["index_notices"]
        assert "mở lần trước" in notice
        assert "cungcau index" in notice
        assert len(caplog.records) == 1
        space.build(None)
        assert plain(client.get("/ready"))["index_notices"] == []


def test_a_failure_nobody_foresaw_leaves_the_old_matcher_serving(space, monkeypatch, caplog):
    with served(space) as client:
        publish(space, 1)
        monkeypatch.setattr(Live, "_open", lambda *_: 1 / 0)
        (notice,) = plain(client.get("/ready"))["index_notices"]
        assert "cungcau doctor" in notice
        assert "division" not in notice
        assert caplog.records[0].exc_info


def test_a_removed_index_is_gone_until_there_is_one(space, caplog):
    with served(space) as client:
        shutil.rmtree(space.index_folder)
        assert failure(client.get("/ready"))[0] == 503
        space.build(None)
        assert client.get("/ready").status_code == 200


def test_validity_follows_the_calendar(space, monkeypatch):
    today = dt.date(2025, 6, 30)
    calendar = SimpleNamespace(date=SimpleNamespace(today=lambda: today))
    monkeypatch.setattr("service.live.dt", calendar)
    with served(space, as_of=None) as client:
        assert "CN-3" in ids(client, "valid=true")
        today += dt.timedelta(days=1)
        assert "CN-3" not in ids(client, "valid=true")
        assert plain(client.get("/ready"))["as_of"] == "2025-07-01"


def test_a_slow_question_holds_up_nobody(client, monkeypatch):
    began, go = threading.Event(), threading.Event()
    plainly = Matcher.answer

    def slowly(*args):
        began.set()
        assert go.wait(20)
        return plainly(*args)

    monkeypatch.setattr(Matcher, "answer", slowly)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/api/v1/search?q=sấy")
        assert began.wait(20)
        assert client.get("/health").status_code == 200
        assert client.get("/api/v1/needs/N-1").status_code == 200
        go.set()
        assert slow.result().status_code == 200


# The document ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


def operations(document):
    return [(path, each) for path, item in document["paths"].items() for each in item.values()]


def test_the_document_is_openapi(document):
    OpenAPI.model_validate(document)
    names = [each["operationId"] for _, each in operations(document)]
    assert len(names) == len(set(names))
    text = json.dumps(document)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]
    assert "ValidationError" not in document["components"]["schemas"]


def test_every_route_documents_its_failures_and_its_answer(document):
    for path, each in operations(document):
        for status in ("4XX", "5XX"):
            (media,) = each["responses"][status]["content"].values()
            assert media["schema"] == {"$ref": "#/components/schemas/ErrorBody"}, path
        (done,) = {"200", "201", "202", "204"} & each["responses"].keys()
        assert done == "204" or each["responses"][done]["content"], path
        assert each["description"], path
    example = document["components"]["schemas"]["Failure"]["properties"]
    assert all(each["examples"] for each in example.values())


def test_every_parameter_is_described(document):
    for path, each in operations(document):
        for parameter in each.get("parameters", ()):
            assert parameter["description"].endswith("."), (path, parameter["name"])


@pytest.mark.parametrize("shape", [contract.Match, contract.Failure, contract.Search])
def test_the_examples_are_of_their_type(shape):
    for name, field in shape.model_fields.items():
        for example in field.examples or ():
            shape.__pydantic_validator__.validate_assignment(shape.model_construct(), name, example)


# The command -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "8.8.8.8", "", "0", "a.invalid"])
def test_only_this_machine_is_served(built, capsys, host):
    run(["serve", "--data", str(built.folder), "--host", host], Exit.USAGE)
    told = " ".join(capsys.readouterr().err.split())
    assert "không phải địa chỉ của riêng máy này" in told
    assert "127.0.0.1" in told


def test_names_and_short_forms_of_this_machine():
    assert loopback("127.0.0.1") == loopback("127.1") == "127.0.0.1"
    assert loopback("::1") == "::1"
    assert loopback("localhost") in {"127.0.0.1", "::1"}
    assert loopback("x" * 300) is None


def test_one_address_behind_a_name_is_enough_to_refuse(monkeypatch):
    found = [(0, 0, 0, "", (each, 0)) for each in ("127.0.0.1", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    assert loopback("máy.này") is None


def test_a_port_in_use_is_told(built, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        run(["serve", "--data", str(built.folder), "--port", port], Exit.USAGE)
    assert f"cổng {port}" in capsys.readouterr().err


def read(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_server_runs(built):
    command = [sys.executable, "-c", "from service.cli import main; main()"]
    args = ["serve", "--data", str(built.folder), "--port", "0", "--as-of", str(TODAY)]
    with subprocess.Popen(
        [*command, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as server:
        try:
            url = server.stdout.readline().split()[1].removesuffix("/api/v1")
            status, body = read(f"{url}/ready")
            assert (status, body["records"], body["as_of"]) == (200, 8, str(TODAY))
            assert read(f"{url}/api/v1/search?q=s%E1%BA%A5y")[1]["matches"][0]["id"] == "CN-1"
            assert read(f"{url}/api/v1/needs/N-9")[0] == 404
        finally:
            server.send_signal(signal.SIGINT)
            _, told = server.communicate(timeout=30)
    assert (server.returncode, told) == (Exit.DONE, "")
