"""Whoever loads a file and is killed has loaded all of it or nothing, and it is told which."""

import io
import multiprocessing
import random
import signal
import time

import pytest
from small import PRODUCTS

from corpus.store import Store
from service.imports import AUDITED
from tests import importer

BATCH, ROWS = 10, 120


@pytest.fixture(scope="module")
def forked():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.importer"])
    return context


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    with Store.create(folder) as store:
        store.save(PRODUCTS)
        yield importer.imports(folder, store)


def received(mine, name):
    lines = (f"{name}-{n},SP-1,Việc số {n} của {name}" for n in range(ROWS))
    text = "\n".join(["Mã,Mã sản phẩm,Nhu cầu", *lines])
    return mine.receive(f"{name}.csv", io.BytesIO(text.encode()))


def loaded(mine, name):
    """How many records of a file are there, and whether the audit says that it was loaded."""
    there = sum(each.startswith(f"{name}-") for each in mine.store.hashes("need"))
    token = next(each.token for each in mine.all() if each.name == f"{name}.csv")
    return there, len(mine.ledger.entries(action=AUDITED, target=token))


POINTS = [0, *sorted(random.Random(29).sample(range(1, ROWS), 5)), ROWS]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_any_point_all_is_loaded_or_nothing(forked, mine, how, point):
    name = f"{how.name}{point}"
    kept = received(mine, name)
    child = forked.Process(target=importer.load, args=(str(mine.space.folder), kept.token, BATCH))
    child.start()
    until = time.monotonic() + 120
    while child.is_alive() and time.monotonic() < until:
        seen = kept.noted("progress")
        if seen is not None and seen["done"] >= point:
            break
        time.sleep(0.001)
    child.kill() if how is signal.SIGKILL else child.terminate()
    child.join()
    there, told = loaded(mine, name)
    assert (there, told) in {(0, 0), (ROWS, 1)}
    progress = mine.progress(kept)
    assert progress.state == ("done" if told else "stopped")
    assert (progress.done, progress.added) == ((ROWS, ROWS) if told else (0, 0))
    assert mine.load(kept).state == "done"  # nobody is in the way
    assert loaded(mine, name)[0] == ROWS
    state = mine.store.state()
    assert mine.store.digest_at(state.revision) == state.digest
    mine.drop(kept)
