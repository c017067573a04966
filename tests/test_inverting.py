"""Texts inverted by number: the bytes that their terms, made one by one, would give."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_segmenter import TEXTS, sample

from indexes import analyser, inverting
from indexes.inverting import Inverter
from indexes.pairs import Pairs
from indexes.postings import ARRAYS, Builder

CALM = settings(deadline=None, max_examples=60)
FIELDS = ("title", "text")


def by_terms(records):
    """The slow way: the terms of every text as strings, view by view."""
    builders = {view: Builder(FIELDS) for view in analyser.VIEWS}
    for record in records:
        found = dict(zip(FIELDS, map(analyser.terms, record), strict=True))
        for view, builder in builders.items():
            builder.add({name: terms[view] for name, terms in found.items()})
    return {view: builder.finish() for view, builder in builders.items()}


def by_number(records):
    inverter = Inverter(len(FIELDS))
    for record in records:
        for text in record:
            inverter.add(text)
    return inverter.finish()


def written(views):
    return {
        view: [list(each.vocabulary), *((a.dtype, a.shape, a.tobytes()) for a in arrays(each))]
        for view, each in views.items()
    }


def arrays(postings):
    return [getattr(postings, name) for name in ARRAYS]


def test_the_sample_gives_the_bytes_of_its_terms_whatever_the_batch(monkeypatch):
    texts = sample()[:120]
    records = list(zip(texts[::2], texts[1::2], strict=True))
    expected = written(by_terms(records))
    monkeypatch.setattr(analyser, "terms", None)  # not asked for a single text
    assert written(by_number(records)) == expected
    monkeypatch.setattr(inverting, "_BATCH", 50)
    assert written(by_number(records)) == expected


ANY = st.one_of(TEXTS, TEXTS.map(lambda text: unicodedata.normalize("NFD", text)))


@CALM
@given(st.lists(st.tuples(ANY, ANY), max_size=4))
def test_any_texts_give_the_bytes_of_their_terms(records):
    assert written(by_number(records)) == written(by_terms(records))


def test_a_word_that_is_written_with_its_joint_is_the_same_term_as_its_pieces():
    records = [("đại_học", "đại học"), ("a_b", "a b")]
    found = by_number(records)
    assert written(found) == written(by_terms(records))
    assert found["words"].vocabulary.get("đại_học") is not None


def test_without_the_compared_segmenter_pyvi_does_the_work(monkeypatch):
    records = [("Sấy vải thiều", "giữ màu đỏ, ít nước."), ("", "vải")]
    expected = written(by_number(records))
    monkeypatch.setattr(analyser, "open_segmenter", lambda: None)
    assert written(by_number(records)) == expected


@pytest.mark.parametrize("count", [1, 3_000])
def test_pairs_keep_their_numbers_when_room_is_made(count):
    pairs = Pairs()
    units = np.arange(count + 1, dtype=np.int32)
    ends = np.array([len(units)])
    first, sizes = pairs.neighbours(units, ends)
    again, _ = pairs.neighbours(units, ends)
    assert sizes.tolist() == [count] == [pairs.count]
    assert first.tolist() == again.tolist() == [~number for number in range(count)]
    names = [str(number) for number in range(count + 1)]
    assert pairs.spelled(names, "_")[-1] == f"{count - 1}_{count}"
