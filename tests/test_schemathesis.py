"""The whole OpenAPI document against the service, with every check that schemathesis has.

In this process, with a fixed seed and few examples for each operation: what is looked for are
answers that the document does not promise, and failures inside (500).
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
from corpus.workflow import Listed
from service.access import LOCAL
from service.app import create_app
from service.desk import Desk
from service.person import Person
from service.workspace import Workspace

EXAMPLES = 20
AS_OF = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
        desk = Desk(store, Person(LOCAL, "Cán bộ", "administrator"))
        desk.start_list("Đợt 1", product="SP-1", items=[Listed(technology="CN-1", need="N-1")])
    space = Workspace(folder)
    space.build(None)
    app = create_app(space, AS_OF)
    with TestClient(app):  # runs the lifespan
        found = schemathesis.openapi.from_asgi("/openapi.json", without_lifespan(app))
        # What no schema can say: references that must exist, one question at a time, a cursor or a
        # key that is used up (410, 412, 422), the ETag that a change must name (428).
        accepted = found.config.checks.positive_data_acceptance
        accepted.expected_statuses = [*accepted.expected_statuses, "410", "412", "422", "428"]
        yield found


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
def test_every_operation_keeps_what_the_document_promises(schema, path, method, mode):
    try:
        cases = schema[path][method.upper()].as_strategy(generation_mode=mode)
    except Unsatisfiable:  # nothing that could be wrong
        return

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
        case.call_and_validate()

    try:
        keeps()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
