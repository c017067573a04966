"""One thing, two words: a need and a record of different regions, short forms and spelled out.

Measured on the sample's own pairs, without an encoder: E5 would lend a hand.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_sample import Spoken, one_sided, regional_words

import corpus
from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Need, Technology
from corpus.text import normalise
from indexes.hybrid import Index
from matcher.compare import ndcg
from matcher.match import Matcher
from matcher.search import Engine
from matcher.testsets import load
from service.loading import sample_files

LEXICON, REGIONAL = Lexicon.load(), regional_words()
SAMPLE = load(sample_files()[0].parent, LEXICON)
Texts = dict[str, str]


def asker(lexicon: Lexicon) -> Matcher:
    testset = load(sample_files()[0].parent, lexicon)
    engine = Engine(Index.build(testset.documents), None, lexicon, Places.load())
    records = testset.technologies, testset.products, testset.needs
    return Matcher.of(engine, *records, dt.date(2026, 11, 23))


@pytest.fixture(scope="module")
def with_tables() -> Matcher:
    return asker(LEXICON)


@pytest.fixture(scope="module")
def without_tables(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """The same with no row in the table of dialect, when records are read as well."""
    folder = tmp_path_factory.mktemp("bảng") / "data"
    shutil.copytree(Path(corpus.__file__).parent / "data", folder)
    heading = (folder / "dialect.csv").read_text(encoding="utf-8").splitlines()[0]
    (folder / "dialect.csv").write_text(heading + "\n", encoding="utf-8")
    return asker(Lexicon.load(folder))


@dataclass(frozen=True)
class Pair:
    """A need and a useful record that name a thing in the words of one region each."""

    need: Need
    technology: Technology
    same: str  # the need's text with the record's word


def said(technology: Technology) -> str:
    told = (technology.name, technology.summary, technology.detail, technology.effect)
    return "\n".join(filter(None, (*told, technology.conditions)))


def pairs() -> Iterator[Pair]:
    technologies = {each.id: each for each in SAMPLE.technologies}
    offered = {key: one_sided(said(each), LEXICON, REGIONAL) for key, each in technologies.items()}
    for need in SAMPLE.needs:
        asked = one_sided(need.text, LEXICON, REGIONAL)
        for key, grade in SAMPLE.qrels[need.id].items():
            things = [t for t in asked if asked[t] != offered[key].get(t, asked[t])]
            if things and grade >= 2:
                technology = technologies[key]
                yield Pair(need, technology, reworded(need.text, said(technology), things))


def reworded(text: str, model: str, things: list[str]) -> str:
    """Return ``text`` with the words that ``model`` has for ``things``."""
    words = {_spoken(each.found).thing: each.found.lower() for each in _regional(model)}
    text = normalise(text)
    for each in reversed(list(_regional(text))):
        thing = _spoken(each.found).thing
        if thing in things:
            text = text[: each.start] + words[thing] + text[each.end :]
    return text


def _regional(text: str):
    return (each for each in LEXICON.variants(text) if each.found.lower() in REGIONAL)


def _spoken(word: str) -> Spoken:
    return REGIONAL[word.lower()]


def score(matcher: Matcher, need: Need, text: str, technology: Technology) -> float:
    ranking = matcher.rank(matcher.stated(need.model_copy(update={"text": text})))
    return next((hit.score for hit in ranking.find(technology.id)), 0.0)


def mean_ndcg(matcher: Matcher, texts: Texts) -> float:
    run = {}
    for key, text in texts.items():
        query = matcher.stated(matcher.needs[key].model_copy(update={"text": text}))
        ranking = matcher.rank(query)
        run[key] = [ranking.hit(place).id for place in range(min(10, len(ranking)))]
    found = ndcg({key: SAMPLE.qrels[key] for key in run}, run)
    return sum(found.values()) / len(found)


def test_the_other_region_s_word_costs_little_and_more_without_the_table(
    with_tables: Matcher, without_tables: Matcher
) -> None:
    found = list(pairs())
    assert len(found) >= 60
    assert all(each.same != normalise(each.need.text) for each in found)
    shares = {}
    for name, matcher in (("with", with_tables), ("without", without_tables)):
        own = sum(score(matcher, p.need, p.need.text, p.technology) for p in found)
        same = sum(score(matcher, p.need, p.same, p.technology) for p in found)
        shares[name] = own / same
    assert shares["with"] >= 0.95
    assert shares["without"] <= shares["with"] - 0.015


def test_needs_find_as_much_in_the_words_of_the_other_region(with_tables: Matcher) -> None:
    found = {each.need.id: each for each in pairs()}
    own = mean_ndcg(with_tables, {key: each.need.text for key, each in found.items()})
    assert own >= 0.95 * mean_ndcg(with_tables, {key: each.same for key, each in found.items()})


def test_a_word_alone_finds_what_is_called_otherwise(
    with_tables: Matcher, without_tables: Matcher
) -> None:
    """Asked for "heo", records say "lợn": without the table most of them are not found at all."""
    shares = []
    for matcher in (with_tables, without_tables):
        hits = [
            any(True for _ in matcher.rank(matcher.text(word)).find(pair.technology.id))
            for pair in pairs()
            for word in words_of(pair)
        ]
        shares.append(sum(hits) / len(hits))
    assert shares[0] >= 0.9, shares
    assert shares[1] <= 0.6, shares


def words_of(pair: Pair) -> list[str]:
    """The need's words for what the record calls otherwise."""
    offered = one_sided(said(pair.technology), LEXICON, REGIONAL)
    asked = one_sided(pair.need.text, LEXICON, REGIONAL)
    apart = {thing for thing in asked if asked[thing] != offered.get(thing, asked[thing])}
    return [
        each.found
        for each in _regional(normalise(pair.need.text))
        if _spoken(each.found).thing in apart
    ]


def test_short_forms_find_what_the_spelled_out_ones_find(with_tables: Matcher) -> None:
    short = {
        each.id: each.text
        for each in SAMPLE.needs
        if each.id in SAMPLE.answered and LEXICON.abbreviations(each.text)
    }
    assert len(short) >= 9
    assert mean_ndcg(with_tables, short) >= 0.95 * mean_ndcg(
        with_tables, {key: spelled(text) for key, text in short.items()}
    )


def spelled(text: str) -> str:
    text = normalise(text)
    for each in reversed(LEXICON.abbreviations(text)):
        text = text[: each.start] + each.long + text[each.end :]
    return text
