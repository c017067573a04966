"""How people really type: answers that must not depend on it, and accents that must count."""

from __future__ import annotations

import datetime as dt
import json
import random
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Technology
from corpus.text import fold, normalise, syllables
from indexes.hybrid import Index
from matcher.compare import ndcg
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


SLIPS = ("dropped", "doubled", "swapped", "another")


def slipped(text: str, chance: random.Random) -> str:
    """Return ``text`` with two or three slips of the finger, each at a letter."""
    letters = list(normalise(text))
    for _ in range(chance.choice((2, 3))):
        place = chance.choice([n for n, each in enumerate(letters[:-1]) if each.isalpha()])
        match chance.choice(SLIPS):
            case "dropped":
                del letters[place]
            case "doubled":
                letters.insert(place, letters[place])
            case "swapped":
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
            case _:
                letters[place] = chance.choice("abcdeghiklmnopqrstuvxy")
    return "".join(letters)


def mean_ndcg(texts: dict[str, str]) -> float:
    run = {}
    for key, text in texts.items():
        need = MATCHER.needs[key].model_copy(update={"text": text})
        ranking = MATCHER.rank(MATCHER.stated(need))
        run[key] = [ranking.hit(place).id for place in range(min(10, len(ranking)))]
    found = ndcg({key: SAMPLE.qrels[key] for key in run}, run)
    return sum(found.values()) / len(found)


def test_two_or_three_slips_cost_little() -> None:
    chance = random.Random(20_261_123)
    clean = {each.id: each.text for each in SAMPLE.needs if each.id in SAMPLE.answered}
    typed = {key: slipped(text, chance) for key, text in clean.items()}
    assert not any(typed[key] == normalise(clean[key]) for key in clean)
    assert mean_ndcg(typed) >= 0.92 * mean_ndcg(clean)


# A word as typed, and one that looks like it without accents. Words without accents of their own
# (cua, ong) are typed with all they have.
MINIMAL = [
    "bò bơ",
    "bơ bò",
    "mắm mầm",
    "mầm mắm",
    "dứa dừa",
    "dừa dứa",
    "dưa dừa",
    "chè che",
    "mực mức",
    "cá cà",
    "lúa lụa",
    "lụa lúa",
    "muối mười",
    "quế que",
    "ốc óc",
    "tôm tơm",
    "gà ga",
    "sữa sứa",
    "bún bùn",
    "kẹo keo",
    "cám cam",
    "cam cám",
    "cua của",
    "ong ông",
    "hoa hóa",
    "nghệ nghề",
]


def says(technology: Technology, name: str) -> bool:
    """Whether the record holds all words of ``name``, accents as they are."""
    told = (technology.name, technology.summary, technology.detail, technology.effect)
    text = " ".join(filter(None, (*told, *technology.products, *technology.keywords)))
    words = {span.text.lower() for span in syllables(normalise(text))}
    return words.issuperset(name.split())


@pytest.mark.parametrize("pair", MINIMAL)
@pytest.mark.parametrize("engine", ["words", "e5"])
def test_typed_accents_count(pair: str, engine: str, sample_matcher: Matcher) -> None:
    """The first record says the word as typed, or the other region's word for the same."""
    typed, other = pair.split()
    assert fold(typed) == fold(other)
    matcher = MATCHER if engine == "words" else sample_matcher
    first = matcher.technologies[matcher.rank(matcher.text(typed)).hit(0).id]
    names = {typed, *(word for group in LEXICON.variants(typed) for word in group.others)}
    assert any(says(first, name) for name in names), (first.id, first.name)
