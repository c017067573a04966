import hashlib
import json
import multiprocessing as mp
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes import analyser, snapshot
from indexes.bm25 import BM25
from indexes.documents import Document
from indexes.hybrid import PARAMETERS, Index, Misaligned
from indexes.segments import Segment
from indexes.senses import Layers, Senses
from indexes.snapshot import ALL, FORMAT, PUBLIC, IndexBusyError, SnapshotError


class Tiny:
    """Four numbers from the letters of a text, of length one."""

    name, dim = "tí-hon", 4

    def passages(self, texts):
        return np.stack([self.vector(text) for text in texts])

    queries = passages

    def vector(self, text):
        raw = np.frombuffer(hashlib.sha256(text.encode()).digest()[:4], np.uint8) + np.float32(1)
        return raw / np.linalg.norm(raw)


ROWS = [
    Document("CN1", "Sấy vải", "bơm nhiệt", "sấy", "vải", ("Sấy vải", "bơm nhiệt")),
    Document("CN2", "Bảo quản vải", "khí điều biến", "", "vải; nhãn", ("Bảo quản vải",)),
    Document("CN3", "Trồng nấm", "giá thể rơm"),
]
OTHER = [*ROWS[:2], replace(ROWS[2], title="Trồng nấm rơm")]


def secret(text):
    return [replace(row, text=f"{row.text} {text}", passages=(*row.passages, text)) for row in ROWS]


def tree(folder):
    """SHA-256 of every file under ``folder`` by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def snapshots(home):
    return sorted(path.name for path in home.glob("snapshot-*"))


def current(home):
    return (home / "CURRENT").read_text(encoding="utf-8")


def titles(home):
    """What the current snapshot finds for a word of OTHER only: proof of which one it is."""
    opened = snapshot.open_current(home)
    found = opened.index().views["syllables"].scores(["rơm"])
    opened.close()
    return [round(float(score), 6) for score in found]


@pytest.fixture(autouse=True)
def _fast_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


# Round trip --------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoder", [None, Tiny()], ids=["lexical", "dense"])
def test_a_published_index_opens_with_the_same_answers(tmp_path, encoder):
    manifest = snapshot.publish(tmp_path, {PUBLIC: ROWS}, encoder, revision=7, store="abc")
    built = Index.build(ROWS, encoder)
    opened = snapshot.open_current(tmp_path)
    index = opened.index()
    assert opened.manifest == manifest
    assert index.ids == ("CN1", "CN2", "CN3")
    for view, bm25 in built.views.items():
        for term in bm25.vocabulary:
            assert index.views[view].scores([term]).tobytes() == bm25.scores([term]).tobytes()
    if encoder is None:
        assert index.vectors is built.vectors is None
    else:
        query, rows = encoder.vector("vải"), np.arange(3)
        assert index.directions(rows).tobytes() == built.directions(rows).tobytes()
        assert index.vectors.scores(query, rows).tolist() == pytest.approx(
            [float(row @ query) for row in built.directions(rows)], rel=1e-6
        )
        assert index.directions(rows)[2].tolist() == [0.0] * 4  # CN3 has no passages
    opened.close()


def test_the_manifest_says_what_the_index_was_made_of(tmp_path):
    rows = {PUBLIC: ROWS, ALL: secret("a")}
    manifest = snapshot.publish(tmp_path, rows, Tiny(), revision=7, store="abc")
    facts = json.loads((tmp_path / current(tmp_path) / "manifest.json").read_text("utf-8"))
    assert (manifest.encoder, manifest.dim, manifest.records) == ("tí-hon", 4, len(ROWS))
    assert (manifest.revision, manifest.store, manifest.restricted) == (7, "abc", True)
    assert (facts["format"], facts["analyser"]) == (FORMAT, analyser.VERSION)
    assert facts["segmenter"].startswith("pyvi ")


def test_progress_counts_every_record_and_passage(tmp_path):
    ticks = []
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny(), tick=lambda *step: ticks.append(step))
    done = {name: 0 for name, _, _ in ticks}
    for name, steps, total in ticks:
        done[name] += steps
        assert done[name] <= total
    assert done == {"phân tích văn bản": len(ROWS), "mã hóa ngữ nghĩa": 2 + 1 + 0}


def test_an_index_of_nothing_opens(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: []}, Tiny())
    opened = snapshot.open_current(tmp_path)
    assert opened.index().ids == ()
    assert opened.index().views["words"].scores(["vải"]).tolist() == []
    assert opened.index().directions(np.arange(0)).shape == (0, 4)
    opened.close()


def test_the_same_input_gives_the_same_bytes(tmp_path):
    rows = {PUBLIC: ROWS, ALL: secret("bí mật")}
    for home in ("a", "b"):
        snapshot.publish(tmp_path / home, rows, Tiny(), revision=7, store="abc")
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert len(tree(tmp_path / "a")) > 20


# Publishing --------------------------------------------------------------------------------------


def test_the_pointer_names_the_new_snapshot_and_the_old_one_is_deleted(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    old, before = current(tmp_path), titles(tmp_path)
    snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert snapshots(tmp_path) == [current(tmp_path)] != [old]
    assert titles(tmp_path) != before


def test_publishing_the_same_again_rewrites_nothing(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    path = tmp_path / current(tmp_path) / "manifest.json"
    before = path.stat()
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_everything_is_synced_before_the_pointer_moves(tmp_path, monkeypatch):
    synced = []

    def sync(path):
        pointer = tmp_path / "CURRENT"
        synced.append((path.name, pointer.is_file()))

    monkeypatch.setattr(snapshot, "_sync", sync)
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny())
    folder = tmp_path / current(tmp_path)
    written = {path.name for path in [folder, *folder.rglob("*")]}
    assert {name for name, _ in synced} == written | {"CURRENT.new", tmp_path.name}
    # The folder above is synced twice: when the snapshot has its name, when the pointer has moved.
    assert [name for name, moved in synced if moved] == [tmp_path.name]
    assert synced[-3:-1] == [(tmp_path.name, False), ("CURRENT.new", False)]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("step", ["save", "sync", "pointer"])
def test_a_builder_that_breaks_down_publishes_nothing(tmp_path, monkeypatch, step, error):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    old, before = current(tmp_path), titles(tmp_path)

    def fail(*_args, **_options):
        raise error("giữa chừng")

    place = {
        "save": (Segment, "save"),
        "sync": (snapshot, "_sync"),
        "pointer": (snapshot, "_replace_text"),
    }
    with monkeypatch.context() as patch, pytest.raises(error, match="giữa chừng"):
        patch.setattr(*place[step], fail)
        snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert (current(tmp_path), titles(tmp_path)) == (old, before)
    assert list(tmp_path.glob("building-*")) == []
    snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert {path.name for path in tmp_path.iterdir()} == {"CURRENT", "LOCK", current(tmp_path)}
    assert snapshots(tmp_path) == [current(tmp_path)]


def test_leftovers_of_a_killed_builder_are_cleared_by_the_next(tmp_path):
    (tmp_path / "building-xyz" / "snapshot-1").mkdir(parents=True)
    (tmp_path / "CURRENT.new").write_text("snapshot-1", encoding="utf-8")
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    assert {path.name for path in tmp_path.iterdir()} == {"CURRENT", "LOCK", current(tmp_path)}


def test_an_open_snapshot_stays_on_disk_until_it_is_closed(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    old = current(tmp_path)
    reader, second = snapshot.open_current(tmp_path), snapshot.open_current(tmp_path)
    before = tree(tmp_path / old)
    snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert tree(tmp_path / old) == before
    assert reader.index().views["syllables"].scores(["vải"]).any()
    reader.close()
    snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert old in snapshots(tmp_path)  # the second reader still has it
    second.close()
    snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
    assert snapshots(tmp_path) == [current(tmp_path)]


def test_a_reader_that_is_overtaken_by_a_publication_opens_the_new_one(tmp_path, monkeypatch):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    load, calls = snapshot._load, []

    def overtaken(folder):
        calls.append(folder.name)
        if len(calls) == 1:  # the pointer was read, the lease is not yet taken
            monkeypatch.setattr(snapshot, "_load", load)
            snapshot.publish(tmp_path, {PUBLIC: OTHER}, None)
            monkeypatch.setattr(snapshot, "_load", overtaken)
        return load(folder)

    monkeypatch.setattr(snapshot, "_load", overtaken)
    opened = snapshot.open_current(tmp_path)
    assert opened.folder.name == current(tmp_path) != calls[0]
    opened.close()


def _hold_the_builder_lock(home, building, done):
    class Slow(Tiny):
        def passages(self, texts):
            building.set()
            done.wait()
            return super().passages(texts)

    snapshot.publish(Path(home), {PUBLIC: OTHER}, Slow())


def test_a_second_builder_at_once_is_told_to_wait(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    old = current(tmp_path)
    context = mp.get_context("spawn")
    building, done = context.Event(), context.Event()
    other = context.Process(target=_hold_the_builder_lock, args=(str(tmp_path), building, done))
    other.start()
    try:
        assert building.wait(60)
        with pytest.raises(IndexBusyError, match=r"một tiến trình khác đang tạo chỉ mục .*: chờ"):
            snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
        assert current(tmp_path) == old
        snapshot.open_current(tmp_path).close()  # searching goes on
    finally:
        done.set()
        other.join()
    assert other.exitcode == 0
    assert snapshots(tmp_path) == [current(tmp_path)] != [old]


# Damage ------------------------------------------------------------------------------------------

COMMAND = "chạy (lại )?`cungcau index`"


@pytest.mark.parametrize("name", ["", "chưa có"])
def test_no_index_says_which_command_makes_one(tmp_path, name):
    with pytest.raises(SnapshotError, match=f"chưa có chỉ mục.*{COMMAND}"):
        snapshot.open_current(tmp_path / name)


def files():
    views = [f"public/{view}" for view in analyser.VIEWS]
    arrays = ("docs", "starts", "frequencies", "lengths", "terms", "offsets", "slots")
    parts = [f"{name}.npy" for name in arrays]
    tables = ["ids.json", "labels.json", "digests.npy", "vectors.npy"]
    tables += [f"label-{name}.npy" for name in ("members", "starts", "numbers")]
    return ["manifest.json", *(f"public/{name}" for name in tables)] + [
        f"{views[0]}/{part}" for part in parts
    ]


@pytest.mark.parametrize("name", [*files(), "lease", "public", "public/bigrams", "."])
def test_a_half_deleted_index_is_refused_and_built_anew(tmp_path, name):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny())
    before, path = tree(tmp_path), tmp_path / current(tmp_path) / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(SnapshotError, match=COMMAND):
        snapshot.open_current(tmp_path)
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny())
    assert tree(tmp_path) == before


@pytest.mark.parametrize("keep", [0, 0.5], ids=["emptied", "cut in half"])
@pytest.mark.parametrize("name", files())
def test_a_file_that_was_cut_short_is_noticed_and_built_anew(tmp_path, name, keep):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny())
    before, path = tree(tmp_path), tmp_path / current(tmp_path) / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(SnapshotError, match=COMMAND):
        snapshot.open_current(tmp_path)
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, Tiny())
    assert tree(tmp_path) == before


@pytest.mark.parametrize("pointer", [b"", b"snapshot-kh\xf4ng", b"snapshot-0", b"\x00"])
def test_a_damaged_pointer_is_refused_and_written_anew(tmp_path, pointer):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    before = tree(tmp_path)
    (tmp_path / "CURRENT").write_bytes(pointer)
    with pytest.raises(SnapshotError, match=COMMAND):
        snapshot.open_current(tmp_path)
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(("name", "mine"), [("format", FORMAT), ("analyser", analyser.VERSION)])
def test_an_index_of_another_version_is_refused_with_both_sides(tmp_path, name, mine):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    before, path = tree(tmp_path), tmp_path / current(tmp_path) / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**facts, name: "99x"}), encoding="utf-8")
    with pytest.raises(SnapshotError, match=rf"{name}: tệp 99x, chương trình {mine}\).*{COMMAND}"):
        snapshot.open_current(tmp_path)
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    assert tree(tmp_path) == before


def test_a_manifest_of_other_fields_is_refused(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    path = tmp_path / current(tmp_path) / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    for damaged in ({**facts, "mới": 1}, {"format": FORMAT, "analyser": analyser.VERSION}, [], 3):
        path.write_text(json.dumps(damaged), encoding="utf-8")
        with pytest.raises(SnapshotError, match=COMMAND):
            snapshot.open_current(tmp_path)


# Alignment ---------------------------------------------------------------------------------------


def test_parts_of_other_sizes_are_refused_with_both_numbers():
    index = Index.build(ROWS, Tiny())
    two = BM25.build([{}] * 2, PARAMETERS)
    with pytest.raises(Misaligned, match="3 mã nhưng 2 bản ghi trong words"):
        replace(index, views={**index.views, "words": two})
    with pytest.raises(Misaligned, match="3 mã nhưng 4 vectơ"):
        none = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
        four = Senses.build(np.zeros((4, 4), np.float32), *none)
        replace(index, vectors=Layers([four]))
    with pytest.raises(Misaligned, match="1,204 mã nhưng 3"):
        replace(index, ids=tuple(f"CN{n}" for n in range(1_204)))


def test_ids_on_disk_that_do_not_fit_are_refused_with_both_numbers(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    path = tmp_path / current(tmp_path) / PUBLIC / "ids.json"
    path.write_text('["CN1", "CN2"]', encoding="utf-8")
    with pytest.raises(SnapshotError, match=f"2 mã nhưng 3 .*{COMMAND}"):
        snapshot.open_current(tmp_path)


@pytest.mark.parametrize("rows", [ROWS[:2], [ROWS[1], ROWS[0], ROWS[2]]], ids=["fewer", "order"])
def test_audiences_of_other_records_are_refused_before_anything_is_published(tmp_path, rows):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    before = tree(tmp_path)
    with pytest.raises(Misaligned, match=rf"3 .* nhưng {len(rows)} .*|CN1.*CN2"):
        snapshot.publish(tmp_path, {PUBLIC: ROWS, ALL: rows}, None)
    assert tree(tmp_path) == before


# Restricted text ---------------------------------------------------------------------------------


def test_restricted_text_is_found_only_by_those_who_may_read_it(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS, ALL: secret("côban")}, Tiny())
    opened = snapshot.open_current(tmp_path)
    assert not opened.index(PUBLIC).views["syllables"].scores(["côban"]).any()
    assert opened.index(ALL).views["syllables"].scores(["côban"]).all()
    opened.close()


def test_without_restricted_text_everybody_has_the_public_index(tmp_path):
    snapshot.publish(tmp_path, {PUBLIC: ROWS}, None)
    opened = snapshot.open_current(tmp_path)
    assert opened.index(ALL) is opened.index(PUBLIC)
    opened.close()


def test_changing_restricted_text_changes_no_byte_of_the_public_index(tmp_path):
    public = []
    for number, rows in enumerate([None, secret("một"), secret("hai ba bốn")]):
        home = tmp_path / str(number)
        snapshot.publish(home, {PUBLIC: ROWS} | ({ALL: rows} if rows else {}), Tiny())
        public.append(tree(home / current(home) / PUBLIC))
    assert public[0] == public[1] == public[2] != {}
    one, other = (tree(next((tmp_path / n).glob("snapshot-*")) / ALL) for n in "12")
    assert one != other
