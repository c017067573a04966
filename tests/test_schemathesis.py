"""The whole OpenAPI document against the service, with every check that schemathesis has.

In this process, with a fixed seed and few examples for each operation: what is looked for are
answers that the document does not promise, and failures inside (500). Valid questions are asked of
what is there: ids and ETags are those of real records, made where the last example used one up.
What no schema can say is accepted of the operation that it belongs to, with its reason.
"""

import datetime as dt
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode
from small import NEEDS, PRODUCTS, TECHNOLOGIES
from starlette.testclient import TestClient

from corpus.store import Store
from service.app import create_app
from service.workspace import Workspace

EXAMPLES = 16
AS_OF = dt.date(2026, 11, 23)
API = "/api/v1"
ACCEPTED = ["2xx", "401", "403", "404", "409", "5xx"]  # an id that is not there, a line that is


@pytest.fixture(scope="module")
def asked(tmp_path_factory, tables_read_once):
    """The document as schemathesis reads it, and a client of the same service."""
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    space = Workspace(folder)
    space.build(None)
    app = create_app(space, AS_OF)
    with TestClient(app) as client:  # runs the lifespan
        yield schemathesis.openapi.from_asgi("/openapi.json", without_lifespan(app)), Real(client)


CURSOR = "a cursor is what the page before of the same question gave"
UNSAID = {  # what no schema can say: operation → status that valid data may get → why
    ("get", "/search"): {422: CURSOR},
    ("get", "/technologies"): {422: CURSOR},
    ("get", "/matches"): {422: "one question at a time; conditions belong to a text"},
    ("post", "/decisions"): {422: "the need may be left out where the list names one"},
    ("post", "/judgments"): {412: "a pair is judged once, and corrected after that"},
    ("post", "/lists/{id}/handover"): {422: "the day lies between the list's and today"},
    ("post", "/imports"): {422: "the file must be a table"},
    ("put", "/imports/{id}/plan"): {422: "tables, columns and fields are those of the file"},
}
LINE = {"technology": "CN-1", "need": "N-1"}
OTHER = {"technology": "CN-2", "need": "N-2"}


class Real:
    """Lets valid questions be asked of what is there, and makes it where it was used up."""

    def __init__(self, client):
        self.client = client
        self.made = 0
        self.upload = None  # one for whatever does not use it up: reading a file costs most

    def __call__(self, case):
        """Let ``case`` name records, ETags and keys as a program would that made them."""
        self.made += 1
        headers, body, path = case.headers or {}, case.body, case.path.removeprefix(API)
        if "Idempotency-Key" in headers:
            headers["Idempotency-Key"] = f"k-{self.made}"
        if "{id}" in path:
            keeps = case.method in {"GET", "POST"}
            case.path_parameters["id"], tag = self.one(path.split("/")[1], keeps)
            if "If-Match" in headers:
                headers["If-Match"] = tag
        elif "If-Match" in headers:
            headers["If-Match"] = self.judged()
        for sent in (case.query, body):
            self.refer(sent, OTHER if case.method == "POST" and path.endswith("/items") else LINE)
        if (case.method, path) == ("DELETE", "/lists/{id}/items"):
            case.query = dict(LINE)
        elif path.endswith("/order"):
            body["items"] = [LINE]
        elif path == "/duplicates/merge":
            body.update(self.pair())
        elif path == "/duplicates/apart":
            body.update(kind="need", one="N-1", other="N-2")

    def refer(self, sent, line):
        """Let whatever names a record name one that is there."""
        known = {"product": "SP-1", "list": None, **line}
        if isinstance(sent, dict):
            sent |= {name: known[name] for name in sent.keys() & known if sent[name]}
            sent.pop("list", None)
            if sent.get("items"):
                sent["items"] = [{**sent["items"][0], **line}]

    def one(self, noun, keeps):
        """Id and ETag of a record of a kind: a new one where operations change it."""
        fixed = {"technologies": "CN-1", "products": "SP-1"}
        if noun in fixed:
            return fixed[noun], ""
        made = self.upload if noun == "imports" and keeps else None
        made = made or getattr(self, noun)()
        if noun == "imports" and keeps:
            self.upload = made
        assert made.status_code == 201, made.text
        return made.json()["id"], made.headers.get("etag", "")

    def post(self, noun, **body):
        return self.client.post(f"{API}/{noun}", json=body)

    def needs(self):
        return self.post("needs", product="SP-1", text=f"Sấy vải {self.made}")

    def lists(self):
        return self.post("lists", name=f"Đợt {self.made}", product="SP-1", items=[LINE])

    def decisions(self):
        need = self.needs().json()["id"]
        return self.post("decisions", technology="CN-1", need=need, outcome="đã liên hệ")

    def searches(self):
        return self.post("searches", name=f"Tìm {self.made}", search={"q": "sấy"})

    def imports(self):
        sent = {"file": ("nhu-cau.csv", "Mã,Mã sản phẩm,Nhu cầu\nM-1,SP-1,Sấy vải\n")}
        return self.client.post(f"{API}/imports", files=sent)

    def pair(self):
        kept, gone = self.needs(), self.needs()
        tags = {"kept_etag": kept.headers["etag"], "gone_etag": gone.headers["etag"]}
        return {"kind": "need", "kept": kept.json()["id"], "gone": gone.json()["id"], **tags}

    def duplicates(self):
        return self.post("duplicates/merge", **self.pair())

    def judged(self):
        found = self.client.get(f"{API}/judgments", params=LINE).json()
        return (found or [self.post("judgments", grade=1, **LINE).json()])[0]["etag"]


def without_lifespan(app):
    """Keep the service running between calls, each of which would start and stop it."""

    async def asked(scope, receive, send):
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    return asked


def operations():
    """Path and method of every operation in the document."""
    paths = create_app(Workspace(Path())).openapi()["paths"]
    return [(path, method) for path, item in paths.items() for method in item]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), operations())
def test_every_operation_keeps_what_the_document_promises(asked, path, method, mode):
    schema, real = asked
    try:
        cases = schema[path][method.upper()].as_strategy(generation_mode=mode)
    except Unsatisfiable:  # nothing that could be wrong
        return
    unsaid = UNSAID.get((method, path.removeprefix(API)), {})
    accepted = schema.config.checks.positive_data_acceptance
    accepted.expected_statuses = [*ACCEPTED, *map(str, unsaid)]
    turns = 0

    @given(cases)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def keeps(case):
        nonlocal turns
        turns += 1
        if mode is GenerationMode.POSITIVE and (turns % 2 or method != "get"):
            real(case)  # every other reading is of an id that is not there
        case.call_and_validate()

    try:
        keeps()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
