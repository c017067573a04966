"""How people really type: answers that must not depend on it, and accents that must count."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.text import normalise
from indexes.hybrid import Index
from matcher.match import Matcher
from matcher.search import Engine
from matcher.testsets import TestSet, load
from service.loading import sample_files

AS_OF = dt.date(2026, 11, 23)
LEXICON = Lexicon.load()
SAMPLE = load(sample_files()[0].parent, LEXICON)
# Where people write the tone mark of oa, oe, uy on the other vowel; both are right.
OLD = ("òa", "óa", "ỏa", "õa", "ọa", "òe", "óe", "ùy", "úy", "ủy", "ũy", "ụy")
NEW = ("oà", "oá", "oả", "oã", "oạ", "oè", "oé", "uỳ", "uý", "uỷ", "uỹ", "uỵ")


def asker(testset: TestSet) -> Matcher:
    engine = Engine(Index.build(testset.documents), None, LEXICON, Places.load())
    return Matcher.of(engine, testset.technologies, testset.products, testset.needs, AS_OF)


MATCHER = asker(SAMPLE)


def answered(text: str) -> bytes:
    """What is answered to ``text``, in full, as bytes."""
    answer = MATCHER.answer(MATCHER.text(text))
    told = [
        (each.technology.id, each.hit.score, dict(each.hit.parts), each.label, each.usefulness)
        for each in (*answer.matches, *answer.set_apart)
    ]
    return json.dumps([told, answer.total, answer.answerable, answer.notices]).encode()


def retoned(text: str) -> str:
    """Write the tone of oa, oe, uy at a syllable's end on the other vowel."""
    for one, other in zip(OLD, NEW, strict=True):
        text = " ".join(
            word[: -len(one)] + other if word.endswith(one) and "qu" not in word else word
            for word in text.split(" ")
        )
    return text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLE.needs))
def test_decomposed_text_and_the_other_tone_placement_give_the_same_bytes(need) -> None:
    plain = answered(need.text)
    assert answered(unicodedata.normalize("NFD", need.text)) == plain
    assert answered(retoned(need.text)) == plain


def test_retoned_changes_something() -> None:
    text = "hòa tan, khỏe cây, lũy tre"
    assert retoned(text) != text
    assert normalise(retoned("hòa tan lũy tre")) == normalise("hòa tan lũy tre")


@pytest.mark.parametrize(
    ("typed", "other"),
    [
        ("bò", "bơ"),
        ("bơ", "bò"),
        ("dứa", "dừa"),
        ("dừa", "dứa"),
        ("dưa", "dừa"),
        ("chè", "che"),
        ("mía", "mì"),
        ("mực", "mức"),
        ("cá", "cà"),
        ("lúa", "lụa"),
        ("lụa", "lúa"),
        ("muối", "mười"),
        ("quế", "que"),
        ("ốc", "óc"),
        ("tôm", "tơm"),
        ("gà", "ga"),
    ],
)
def test_typed_accents_count(typed: str, other: str) -> None:
    """The first record says the word as typed, and not only one that looks like it unaccented."""
    ranking = MATCHER.rank(MATCHER.text(typed))
    first = MATCHER.technologies[ranking.hit(0).id]
    told = "\n".join(
        filter(None, (first.name, first.summary, first.detail, *first.products, *first.keywords))
    )
    words = {each.strip(".,;:()–").lower() for each in normalise(told).split()}
    variants = {word for group in LEXICON.variants(typed) for word in group.others}
    names = {typed, *variants}
    assert any(set(name.split()) <= words for name in names), (first.id, first.name)
