import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes import analyser, refresh, snapshot
from indexes.documents import Document
from indexes.hybrid import Index
from indexes.lexical import Evidence, Terms
from indexes.segments import Held, Segment, merged
from indexes.snapshot import ALL, PUBLIC, IndexBusyError

WORDS = ["sấy", "vải", "nhãn", "tôm", "kho lạnh", "tưới", "rơm", "bơm nhiệt", "và", "khô"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
KEYS = st.sampled_from([f"CN{n}" for n in range(6)])
DOCUMENTS = st.builds(Document, KEYS, TEXTS, TEXTS, labels=st.sampled_from([(), ("a",), ("b",)]))
CHANGES = st.lists(
    st.tuples(st.lists(DOCUMENTS, max_size=3), st.sets(KEYS, max_size=2)), max_size=6
)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
QUERIES = [["sấy"], ["vải", "tôm"], ["kho", "lạnh", "khô"], WORDS]


class Tiny:
    """Four numbers from the letters of a text, of length one."""

    name, dim = "tí-hon", 4

    def passages(self, texts):
        return np.stack([self.vector(text) for text in texts])

    queries = passages

    def vector(self, text):
        raw = np.frombuffer(hashlib.sha256(text.encode()).digest()[:4], np.uint8) + np.float32(1)
        return raw / np.linalg.norm(raw)


@pytest.fixture(autouse=True)
def _fast_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


def by_id(documents):
    """The last document of each id, by id."""
    return [each for _, each in sorted({each.id: each for each in documents}.items())]


def said(index):
    """Everything that an index says, by id: scores of all queries in all views, labels, bits."""
    found = {}
    for view, bm25 in index.views.items():
        assert bm25.records == len(index.live)
        for query in QUERIES:
            scores, hold = bm25.scores(query), bm25.matching(query)
            assert bm25.ceiling(query) >= scores.max(initial=0.0)
            for row in index.live.tolist():
                told = found.setdefault(index.ids[row], [index.labels[row]])
                told.append((view, scores[row].tobytes(), bool(hold[row]), bm25.ceiling(query)))
    return found


def files(segment, folder):
    segment.save(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def held_after(changes):
    """Segments as refreshes leave them, never tidied, and the documents that are live."""
    live: dict[str, Document] = {}
    held: list[Held] = []
    for documents, removed in changes:
        new = by_id(documents)
        held = refresh._changed(PUBLIC, held, new, frozenset(removed), None, None, None)
        for key in removed:
            live.pop(key, None)
        live |= {each.id: each for each in new}
    return held, by_id(live.values())


def some(count, start=0):
    return [
        Document(f"CN{n:04d}", f"Sấy vải số {n}", "kho lạnh " * (n % 5))
        for n in range(start, start + count)
    ]


def tree(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def current(home):
    return home / (home / "CURRENT").read_text(encoding="utf-8")


def opened(home, audience=PUBLIC):
    with_lease = snapshot.open_current(home)
    try:
        return with_lease.index(audience)
    finally:
        with_lease.close()


def update(home, changed, removed=(), encoder=None, **options):
    since = refresh.base(home, encoder, "")
    assert since is not None
    audiences = changed if isinstance(changed, dict) else {PUBLIC: changed}
    return refresh.refresh(home, since, audiences, removed, encoder, **options)


# Scores ------------------------------------------------------------------------------------------


@FEW
@given(CHANGES)
def test_after_any_refreshes_every_score_is_that_of_a_rebuild_to_the_last_bit(changes):
    held, live = held_after(changes)
    if held:
        assert said(Index.of(held)) == said(Index.build(live))


@FEW
@given(CHANGES)
def test_merged_segments_are_those_of_a_rebuild_to_the_byte(tmp_path_factory, changes):
    held, live = held_after(changes)
    if held:
        home = tmp_path_factory.mktemp("merged")
        assert files(merged(held), home / "a") == files(Segment.build(live), home / "b")


@FEW
@given(CHANGES, st.integers(1, 4), st.booleans())
def test_the_best_of_several_segments_are_the_best_of_all(changes, k, mute):
    held, _ = held_after(changes)
    if not held:
        return
    index = Index.of(held)
    counts = dict.fromkeys(["sấy", "vải", "lạnh"], 1.0)
    view = index.views["syllables"]
    muted = [np.full((size + 63) // 64, 0x5555, np.uint64) for size in index.sizes] if mute else ()
    terms = {"syllables": Terms.of(view, counts, [mute, False, False])}
    evidence = Evidence(index.views, terms, {"syllables": 0.5}, muted)
    exact = evidence.everything()["syllables"]
    rows = np.arange(len(index.ids))
    assert evidence.exact(rows)["syllables"].tobytes() == exact.tobytes()
    begin = [np.zeros(size, np.float32) for size in index.sizes]
    totals = evidence.totals([each.copy() for each in begin])
    assert totals.tolist() == pytest.approx((0.5 * exact).tolist(), abs=1e-6)
    best = evidence.best(begin, k)
    least = np.sort(exact)[-min(k, len(exact))] if len(exact) else 0.0
    assert set(np.flatnonzero(exact >= least).tolist()) <= set(best.tolist())


# On disk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [None, Tiny()], ids=["lexical", "dense"])
def test_a_refreshed_index_answers_like_one_built_anew(tmp_path, encoder):
    rows = [replace(each, passages=(each.title,)) for each in some(40)]
    changed = [replace(rows[3], title="Trồng nấm rơm", passages=("Trồng nấm rơm",)), *some(2, 90)]
    snapshot.publish(tmp_path / "a", {PUBLIC: rows}, encoder)
    manifest = update(tmp_path / "a", changed, ["CN0007"], encoder, revision=9, store="x")
    live = by_id([each for each in (*rows, *changed) if each.id != "CN0007"])
    whole = snapshot.publish(tmp_path / "b", {PUBLIC: live}, encoder, revision=9, store="x")
    assert (
        (manifest.records, manifest.corpus) == (whole.records, whole.corpus) == (41, whole.corpus)
    )
    assert manifest.segments == {PUBLIC: ["public", "public-1"]}
    one, other = opened(tmp_path / "a"), opened(tmp_path / "b")
    assert said(one) == said(other)
    if encoder:
        query = encoder.vector("nấm")
        near = [one.ids[row] for row in one.nearest(query, 5).rows]
        assert near == [other.ids[row] for row in other.nearest(query, 5).rows]
        assert one.cosines(query, one.live).tolist() == pytest.approx(
            [float(query @ one.directions(np.array([n]))[0]) for n in one.live], rel=1e-6
        )


def test_what_did_not_change_is_linked_and_not_written_again(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    reader = snapshot.open_current(tmp_path)
    before = reader.folder / PUBLIC / "words" / "docs.npy"
    update(tmp_path, some(1, 90))
    after = current(tmp_path) / PUBLIC / "words" / "docs.npy"
    assert before.samefile(after)
    assert before.parent.parent.parent != after.parent.parent.parent
    reader.close()


def test_without_links_the_files_are_copied(tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError("đĩa không có liên kết cứng")

    monkeypatch.setattr(os, "link", no_links)
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    update(tmp_path, some(1, 90))
    assert len(opened(tmp_path).live) == 41


def test_a_document_that_did_not_change_adds_nothing(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    manifest = update(tmp_path, some(3), revision=5)
    assert (manifest.segments, manifest.revision) == ({PUBLIC: [PUBLIC]}, 5)
    assert list(current(tmp_path).glob("*.dead.npy")) == []


def test_many_small_segments_are_put_together_and_a_large_change_merges_all(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(200)}, None)
    for number in range(refresh.SEGMENTS + 1):
        manifest = update(tmp_path, some(1, 300 + number))
    assert manifest.segments == {PUBLIC: ["public", f"public-{refresh.SEGMENTS + 2}"]}
    assert len(opened(tmp_path).live) == 200 + refresh.SEGMENTS + 1
    manifest = update(tmp_path, some(100, 400))
    assert len(manifest.segments[PUBLIC]) == 1
    live = [*some(200), *some(refresh.SEGMENTS + 1, 300), *some(100, 400)]
    assert said(opened(tmp_path)) == said(Index.build(live))


def test_everything_may_be_removed_and_come_back(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(3)}, None)
    assert update(tmp_path, [], [each.id for each in some(3)]).records == 0
    assert opened(tmp_path).views["words"].scores(["sấy"]).tolist() == []
    assert update(tmp_path, some(2)).records == 2
    assert said(opened(tmp_path)) == said(Index.build(some(2)))


@pytest.mark.parametrize("step", ["_fill", "_tidied", "make_current"])
def test_a_refresh_that_breaks_down_leaves_the_old_state(tmp_path, monkeypatch, step):
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    before = tree(tmp_path)

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(refresh, step, fail)
        update(tmp_path, some(1, 90))
    assert tree(tmp_path) == before


def test_a_reader_keeps_its_state_through_refreshes(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    reader = snapshot.open_current(tmp_path)
    before = said(reader.index())
    for number in range(3):
        update(tmp_path, some(1, 90 + number), [f"CN{number:04d}"])
    assert said(reader.index()) == before
    assert reader.folder.is_dir()
    reader.close()
    update(tmp_path, [])
    assert not reader.folder.is_dir()


def test_an_index_that_was_replaced_meanwhile_is_not_refreshed(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: some(40)}, None)
    since = refresh.base(tmp_path, None, "")
    update(tmp_path, some(1, 90))
    with pytest.raises(IndexBusyError, match="chạy lại"):
        refresh.refresh(tmp_path, since, {PUBLIC: []}, (), None)


def test_what_was_made_otherwise_is_no_base(tmp_path):
    assert refresh.base(tmp_path, None, "") is None
    snapshot.publish(tmp_path, {PUBLIC: some(3)}, None, tables="một")
    assert refresh.base(tmp_path, None, "hai") is None
    assert refresh.base(tmp_path, Tiny(), "một") is None
    assert refresh.base(tmp_path, None, "một") is not None
    (current(tmp_path) / "manifest.json").write_text("[]", encoding="utf-8")
    assert refresh.base(tmp_path, None, "một") is None


# Restricted text ---------------------------------------------------------------------------------


def secret(row, text):
    return replace(row, text=f"{row.text} {text}")


@pytest.mark.parametrize("text", ["một", "hai ba bốn"])
def test_a_change_of_restricted_text_changes_no_public_file(tmp_path, text):
    rows = some(40)
    first = {PUBLIC: rows, ALL: [secret(rows[0], "bí mật"), *rows[1:]]}
    snapshot.publish(tmp_path, first, None)
    before = {k: v for k, v in tree(current(tmp_path)).items() if k.startswith(PUBLIC)}
    update(tmp_path, {PUBLIC: rows[:1], ALL: [secret(rows[0], text)]})
    after = {k: v for k, v in tree(current(tmp_path)).items() if k.startswith(PUBLIC)}
    assert before == after
    assert said(opened(tmp_path, ALL)) == said(Index.build([secret(rows[0], text), *rows[1:]]))
    assert said(opened(tmp_path)) == said(Index.build(rows))


def test_the_first_restricted_text_starts_an_index_of_its_own_from_the_public_one(tmp_path):
    rows = some(40)
    snapshot.publish(tmp_path, {PUBLIC: rows}, None)
    manifest = update(tmp_path, {PUBLIC: rows[:1], ALL: [secret(rows[0], "bí mật")]})
    assert manifest.segments == {PUBLIC: [PUBLIC], ALL: [PUBLIC, "all-1"]}
    assert manifest.restricted
    assert said(opened(tmp_path)) == said(Index.build(rows))
    assert said(opened(tmp_path, ALL)) == said(Index.build([secret(rows[0], "bí mật"), *rows[1:]]))
    assert set(analyser.VIEWS) == {path.name for path in (current(tmp_path) / "all-1").glob("*/")}
