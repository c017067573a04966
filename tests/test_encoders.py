import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from indexes.encoders import BATCH, CHOICES, E5, Cache, EncoderError, open_encoder

ROOT = Path(__file__).parent.parent


class Fake:
    """A unit vector from a text's hash; counts what it encodes and can break down."""

    dim = 4

    def __init__(self, name="giả-1", fail_at=None):
        self.name = name
        self.fail_at = fail_at
        self.calls = []

    def passages(self, texts):
        if len(self.calls) == self.fail_at:
            raise RuntimeError("mất điện")
        self.calls.append(list(texts))
        return np.stack([self.vector(text) for text in texts])

    queries = passages

    def vector(self, text):
        digest = hashlib.sha256(f"{self.name} {text}".encode()).digest()
        raw = np.frombuffer(digest[:16], np.uint32).astype(np.float32) + 1
        return raw / np.linalg.norm(raw)

    def encoded(self):
        return [text for call in self.calls for text in call]


def numbered(count):
    return [f"đoạn {number}" for number in range(count)]


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "mới" / "vectors.sqlite")


def expect(encoder, texts):
    return np.stack([encoder.vector(text) for text in texts])


# The cache ---------------------------------------------------------------------------------------


def test_each_text_is_encoded_once_and_answers_keep_the_order_asked(cache):
    encoder, texts = Fake(), ["b", "a", "b", "c", "a"]
    assert cache.passages(encoder, texts).tolist() == expect(encoder, texts).tolist()
    assert sorted(encoder.encoded()) == ["a", "b", "c"]
    assert cache.passages(encoder, ["c", "d", "a"]).tolist() == (
        expect(encoder, ["c", "d", "a"]).tolist()
    )
    assert sorted(encoder.encoded()) == ["a", "b", "c", "d"]


def test_another_process_finds_what_was_encoded(cache):
    cache.passages(Fake(), ["a", "b"])
    later = Fake()
    assert Cache(cache.path).passages(later, ["b", "a"]).tolist() == (
        expect(later, ["b", "a"]).tolist()
    )
    assert later.calls == []


def test_vectors_of_two_engines_are_never_mixed(cache):
    one, other = Fake("giả-1"), Fake("giả-2")
    cache.passages(one, ["a"])
    assert cache.passages(other, ["a"]).tolist() == expect(other, ["a"]).tolist()
    assert cache.passages(one, ["a"]).tolist() == expect(one, ["a"]).tolist()
    assert expect(one, ["a"]).tolist() != expect(other, ["a"]).tolist()
    assert (one.encoded(), other.encoded()) == (["a"], ["a"])


def test_a_run_that_broke_down_goes_on_where_it_stopped(cache):
    texts = numbered(3 * BATCH)
    with pytest.raises(RuntimeError, match="mất điện"):
        cache.passages(Fake(fail_at=2), texts)
    second = Fake()
    assert cache.passages(second, texts).tolist() == expect(second, texts).tolist()
    assert len(second.encoded()) == 3 * BATCH - 2 * BATCH


def test_a_killed_run_leaves_whole_batches_behind(cache):
    """Killed while it encodes the third batch: nobody tidies up, and two batches are there."""
    code = (
        "import os, sys; sys.path.insert(0, 'tests'); from test_encoders import *\n"
        "class Killed(Fake):\n"
        "    def passages(self, texts):\n"
        "        if len(self.calls) == 2: os.kill(os.getpid(), 9)\n"
        "        return super().passages(texts)\n"
        "Cache(Path(sys.argv[1])).passages(Killed(), numbered(3 * BATCH))"
    )
    killed = subprocess.run([sys.executable, "-c", code, cache.path], check=False, cwd=ROOT)
    assert killed.returncode == -9
    second = Fake()
    texts = numbered(3 * BATCH)
    assert cache.passages(second, texts).tolist() == expect(second, texts).tolist()
    assert len(second.encoded()) == BATCH


@pytest.mark.parametrize("known", [0, 5, BATCH, 2 * BATCH + 3])
def test_progress_ticks_add_up_to_all_texts(cache, known):
    texts = [*numbered(2 * BATCH + 3), "đoạn 0", "đoạn 1"]
    if known:
        cache.passages(Fake(), texts[:known])
    ticks = []
    cache.passages(Fake(), texts, ticks.append)
    assert sum(ticks) == len(texts) == 2 * BATCH + 3 + 2
    assert max(ticks[1:], default=0) <= BATCH


def test_texts_of_like_length_share_a_batch(cache):
    encoder = Fake()
    cache.passages(encoder, [f"{n:03}" + "x" * (n % 2 * 100) for n in range(2 * BATCH)])
    assert [{len(text) for text in call} for call in encoder.calls] == [{3}, {103}]


def test_no_texts_have_an_empty_matrix(cache):
    ticks = []
    assert cache.passages(Fake(), [], ticks.append).shape == (0, Fake.dim)
    assert sum(ticks) == 0


def test_a_vector_of_the_wrong_size_is_encoded_anew(cache):
    cache.passages(Fake(), ["a"])
    with sqlite3.connect(cache.path) as connection:
        connection.execute("UPDATE vector SET value = x'0000'")
    connection.close()
    encoder = Fake()
    assert cache.passages(encoder, ["a"]).tolist() == expect(encoder, ["a"]).tolist()
    assert encoder.encoded() == ["a"]


@pytest.mark.parametrize(
    "content", ["đây không phải là SQLite " * 50, "SQLite format 3\0" + "x" * 9000]
)
def test_a_damaged_file_is_told_with_what_to_do_and_what_it_costs(cache, content):
    cache.path.write_text(content, encoding="utf-8")
    for suffix in ("-wal", "-shm"):
        cache.path.with_name(cache.path.name + suffix).unlink(missing_ok=True)
    told = f"hãy xóa {cache.path} rồi chạy lại; không mất dữ liệu"
    with pytest.raises(EncoderError) as at_once:
        Cache(cache.path)
    with pytest.raises(EncoderError) as later:
        cache.passages(Fake(), ["a"])
    assert told in str(at_once.value)
    assert told in str(later.value)
    cache.path.unlink()
    assert Cache(cache.path).passages(Fake(), ["a"]).shape == (1, Fake.dim)


def test_damage_inside_the_file_is_told_when_it_is_met(cache):
    cache.passages(Fake(), numbered(400))
    with closing(sqlite3.connect(cache.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = cache.path.read_bytes()
    cache.path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(EncoderError, match="hãy xóa"):
        cache.passages(Fake(), numbered(400))


# Choosing ----------------------------------------------------------------------------------------


def test_none_is_no_encoder():
    assert open_encoder("none") is None


@pytest.mark.parametrize("choice", ["e6", "", "/không/có/thư/mục"])
def test_an_unknown_encoder_is_refused_and_the_choices_named(choice):
    with pytest.raises(EncoderError) as error:
        open_encoder(choice)
    assert repr(choice) in str(error.value)
    assert CHOICES in str(error.value)
    assert "e5-int8, e5, e5-onnx, none" in CHOICES


@pytest.mark.skipif(find_spec("sentence_transformers") is not None, reason="the extra is installed")
def test_a_folder_without_the_extra_names_the_extra(tmp_path):
    with pytest.raises(EncoderError, match=r"pip install 'cungcau\[sentence-transformers\]'"):
        open_encoder(str(tmp_path))


# The real one ------------------------------------------------------------------------------------


def test_e5_is_deterministic_alike_in_batch_and_alone_and_of_length_one():
    encoder = open_encoder("e5")
    assert isinstance(encoder, E5)
    texts = ["bảo quản vải thiều", "sấy lạnh", "phần mềm quản lý kho của hợp tác xã trồng dứa"]
    batch = encoder.passages(texts)
    assert (batch.shape, batch.dtype) == ((3, E5.dim), np.float32)
    assert encoder.passages(texts).tobytes() == batch.tobytes()
    assert np.vstack([encoder.passages([text]) for text in texts]).tobytes() == batch.tobytes()
    assert np.linalg.norm(batch, axis=1).tolist() == pytest.approx([1.0] * 3, abs=1e-5)
    query = encoder.queries(texts[:1])
    assert query.tobytes() != batch[:1].tobytes()  # the prefixes differ
    cosines = (batch @ query[0]).tolist()
    assert max(cosines) == cosines[0]
