"""The sample records are as many, as varied and as plainly illustrative as they claim to be."""

from __future__ import annotations

import csv
import datetime as dt
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import corpus
from corpus.lexicon import Lexicon
from corpus.readers import Loaded, read
from corpus.records import RESTRICTABLE, STAGES, Judgment, Need, Product, Technology
from corpus.text import normalise, syllables

PACKAGE = Path(corpus.__file__).parent
SAMPLE = PACKAGE / "sample"
FILES = ("products.csv", "technologies.csv", "needs.csv", "judgments.tsv")
NATIONAL = "Nông sản chủ lực quốc gia (TT 37/2018)"
FRUITS = "Cây ăn quả chủ lực (QĐ 4085/2022)"
CROPS = "Cây công nghiệp chủ lực (QĐ 431/2024)"
KINDS = {
    "công nghệ", "tiến bộ kỹ thuật", "kết quả nhiệm vụ KH&CN", "sáng chế", "giải pháp hữu ích",
    "sáng kiến", "quy trình", "giống", "thiết bị", "phần mềm",
}  # fmt: skip
WRITTEN = dt.date(2026, 7, 1)  # offers that ended before are expired for every reader of today


@dataclass(frozen=True)
class Sample:
    products: dict[str, Product]
    technologies: dict[str, Technology]
    needs: dict[str, Need]
    judgments: tuple[Judgment, ...]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return read([SAMPLE / name for name in FILES])


@pytest.fixture(scope="module")
def sample(loaded: Loaded) -> Sample:
    records = loaded.records
    return Sample(
        {record.id: record for record in records if isinstance(record, Product)},
        {record.id: record for record in records if isinstance(record, Technology)},
        {record.id: record for record in records if isinstance(record, Need)},
        tuple(record for record in records if isinstance(record, Judgment)),
    )


# Text -------------------------------------------------------------------------------------------


def words(text: str) -> tuple[str, ...]:
    return tuple(span.text.lower() for span in syllables(normalise(text)))


def sentences(text: str) -> Iterator[tuple[str, ...]]:
    """Syllables of each sentence worth comparing; the point of a number ends none."""
    for sentence in re.split(r"[!?;\n]|\.(?!\d)", text):
        found = words(sentence)
        if len(found) >= 4:
            yield found


def shared_sentences(texts: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Sentence → the ids that say it, where two or more do."""
    said = defaultdict(set)
    for key, text in texts:
        for sentence in sentences(text):
            said[" ".join(sentence)].add(key)
    return {sentence: keys for sentence, keys in said.items() if len(keys) > 1}


def heaps_exponent(texts: Iterable[str]) -> float:
    """Slope of log(distinct syllable pairs) over log(syllables read), text by text."""
    read_so_far, distinct, seen, total = [], [], set(), 0
    for tokens in map(words, texts):
        total += len(tokens)
        seen.update(pairwise(tokens))
        read_so_far.append(total)
        distinct.append(len(seen))
    return float(np.polyfit(np.log(read_so_far), np.log(distinct), 1)[0])


def repeated_runs(texts: Iterable[str], size: int = 8) -> float:
    """Share of the distinct runs of ``size`` syllables that stand in two or more texts."""
    holders: Counter[tuple[str, ...]] = Counter()
    for tokens in map(words, texts):
        holders.update({tokens[i : i + size] for i in range(len(tokens) - size + 1)})
    return sum(count > 1 for count in holders.values()) / len(holders)


def descriptions(sample: Sample) -> list[tuple[str, str]]:
    parts = ("summary", "detail", "effect", "conditions")
    described = [
        (t.id, getattr(t, part))
        for t in sample.technologies.values()
        for part in parts
        if getattr(t, part)
    ]
    return described + [(n.id, n.text) for n in sample.needs.values()]


def whole_texts(sample: Sample) -> list[str]:
    texts: dict[str, list[str]] = defaultdict(list)
    for key, text in descriptions(sample):
        texts[key].append(text)
    return ["\n".join(parts) for parts in texts.values()]


# Sizes ------------------------------------------------------------------------------------------


def test_every_row_loads(loaded):
    assert loaded.rejected == ()
    assert loaded.notices == ()
    assert [count.file for count in loaded.counts] == list(FILES)
    for count in loaded.counts:
        assert (count.loaded, count.repeated, count.rejected) == (count.rows, 0, 0)


def test_there_are_as_many_records_as_asked_for(sample):
    assert len(sample.technologies) >= 320
    assert len(sample.products) >= 60
    assert len(sample.needs) >= 180
    assert len(sample.judgments) >= 900
    assert len({judgment.need for judgment in sample.judgments}) >= 60
    assert sum(t.language == "en" for t in sample.technologies.values()) >= 20


def test_the_lists_of_the_country_are_complete(sample):
    listed = Counter(name for product in sample.products.values() for name in product.lists)
    assert (listed[NATIONAL], listed[FRUITS], listed[CROPS]) == (13, 14, 6)
    both = [p.name for p in sample.products.values() if {NATIONAL, CROPS} <= set(p.lists)]
    assert sorted(both) == ["Cao su", "Chè", "Cà phê", "Hồ tiêu", "Điều"]
    levels = {product.level for product in sample.products.values()}
    assert {"quốc gia", "tỉnh", "OCOP", "CNNT tiêu biểu", "đặc sản địa phương"} <= levels
    provinces = {p.province for p in sample.products.values() if p.province}
    assert any("cũ" in name for name in provinces) and any("cũ" not in name for name in provinces)


# Variety ----------------------------------------------------------------------------------------


def test_all_kinds_of_supply_and_all_stages_occur(sample):
    assert {t.kind for t in sample.technologies.values()} == KINDS
    assert {stage for t in sample.technologies.values() for stage in t.stages} == set(STAGES)
    assert {n.stage for n in sample.needs.values()} == set(STAGES)


def test_expired_restricted_cheap_and_dear_offers_occur(sample):
    offers = sample.technologies.values()
    ends = [t.valid_until for t in offers if t.valid_until]
    assert sum(end < WRITTEN for end in ends) >= 10
    assert sum(end > WRITTEN for end in ends) >= 10
    assert sum(bool(t.restricted) for t in offers) >= 10
    assert {part for t in offers for part in t.restricted} <= set(RESTRICTABLE)
    for offer in offers:  # what is said to be under NDA is there to be hidden
        assert all(getattr(offer, part) not in (None, ()) for part in offer.restricted), offer.id
    costs = [t.lowest_cost for t in offers if t.lowest_cost is not None]
    assert sum(cost <= 5 for cost in costs) >= 10
    assert sum(cost >= 5_000 for cost in costs) >= 10


def test_facts_are_missing_as_they_are_in_life(sample):
    offers, needs = sample.technologies.values(), sample.needs.values()
    for values in (
        [t.trl for t in offers],
        [t.lowest_cost for t in offers],
        [n.budget for n in needs],
        [n.current for n in needs],
        [n.province for n in needs],
    ):
        assert 0.05 < sum(value is None for value in values) / len(values) < 0.95


class Spoken(NamedTuple):
    thing: str
    region: str


def regional_words() -> dict[str, Spoken]:
    """Dialect word → the thing it names and whose word it is; words of both regions left out."""
    found: dict[str, set[Spoken]] = defaultdict(set)
    with (PACKAGE / "data" / "dialect.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for region in ("north", "south"):
                for word in filter(None, row[region].split(";")):
                    found[word.strip().lower()].add(Spoken(row["group"], region))
    return {word: next(iter(spoken)) for word, spoken in found.items() if len(spoken) == 1}


def one_sided(text: str, lexicon: Lexicon, regional: dict[str, Spoken]) -> dict[str, str]:
    """Thing → region, for what ``text`` names in the words of one region only."""
    regions = defaultdict(set)
    for variant in lexicon.variants(text):
        if spoken := regional.get(variant.found.lower()):
            regions[spoken.thing].add(spoken.region)
    return {thing: min(names) for thing, names in regions.items() if len(names) == 1}


def test_need_and_record_often_speak_different_dialects(sample):
    lexicon, regional = Lexicon.load(), regional_words()
    texts: dict[str, str] = {n.id: n.text for n in sample.needs.values()}
    for t in sample.technologies.values():
        said = (t.name, t.summary, t.detail, t.effect, t.conditions)
        texts[t.id] = "\n".join(filter(None, said))
    sides = {key: one_sided(text, lexicon, regional) for key, text in texts.items()}
    apart = [
        (judgment.need, judgment.technology)
        for judgment in sample.judgments
        if judgment.grade >= 1
        for asked, offered in [(sides[judgment.need], sides[judgment.technology])]
        if any(asked[thing] != offered[thing] for thing in asked.keys() & offered.keys())
    ]
    assert len(apart) >= 60


# Illustrative -----------------------------------------------------------------------------------


def test_every_record_says_that_it_is_illustrative(sample):
    records = [*sample.products.values(), *sample.technologies.values(), *sample.needs.values()]
    assert [record.key for record in records if record.illustrative is not True] == []
    owners = [t.id for t in sample.technologies.values() if "(minh họa)" not in (t.owner or "")]
    assert owners == []
    askers = [n.asker for n in sample.needs.values() if n.asker and "(minh họa)" not in n.asker]
    assert askers == []


# No template ------------------------------------------------------------------------------------


def test_no_two_descriptions_share_a_sentence(sample):
    assert shared_sentences(descriptions(sample)) == {}


def test_shared_sentences_are_found_whatever_their_spelling():
    texts = [
        ("a", "Máy chạy 1.200 vòng/phút. Hoà men vào nước ấm; rồi ủ."),
        ("b", "HÒA  MEN VÀO NƯỚC ẤM! Máy chạy 1.500 vòng/phút."),
        ("c", "Hòa men vào nước. Máy chạy 1.200 vòng"),
    ]
    assert shared_sentences(texts) == {"hòa men vào nước ấm": {"a", "b"}}


def test_the_vocabulary_grows_as_in_a_real_corpus(sample):
    texts = whole_texts(sample)
    assert 0.55 < heaps_exponent(texts) < 0.95
    assert repeated_runs(texts) < 0.005


def test_template_text_and_word_salad_would_be_noticed(sample):
    rng = random.Random(1)
    names = [product.name for product in sample.products.values()]
    template = [
        f"Công nghệ {rng.choice(STAGES)} cho {rng.choice(names)} giúp giảm {rng.randint(5, 40)} % "
        f"tổn thất, phù hợp với hợp tác xã, chi phí từ {rng.randrange(50, 900, 50)} triệu đồng."
        for _ in range(400)
    ]
    assert heaps_exponent(template) < 0.55
    assert repeated_runs(template) > 0.005
    vocabulary = sorted({word for text in whole_texts(sample) for word in words(text)})
    salad = [" ".join(rng.choices(vocabulary, k=120)) for _ in range(400)]
    assert heaps_exponent(salad) > 0.95


# Near-duplicates --------------------------------------------------------------------------------


def pairs_of(path: Path) -> list[tuple[str, ...]]:
    return [tuple(line.split("\t")) for line in path.read_text("utf-8").splitlines() if line]


def likeness(one: Technology, other: Technology) -> float:
    """Share of the syllable pairs of the smaller name and summary that the other has too."""
    mine, theirs = ({*pairwise(words(f"{t.name} {t.summary}"))} for t in (one, other))
    return len(mine & theirs) / min(len(mine), len(theirs))


def test_near_duplicates_are_listed_and_are_alike(sample):
    pairs = pairs_of(SAMPLE / "duplicates.tsv")
    assert len(pairs) >= 10
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(len(pair) == 2 and pair[0] < pair[1] for pair in pairs)
    for one, other in ((sample.technologies[a], sample.technologies[b]) for a, b in pairs):
        assert one.owner == other.owner
        assert likeness(one, other) > 0
    rng = random.Random(1)
    offers = [sample.technologies[key] for key in sorted(sample.technologies)]
    drawn = [likeness(*rng.sample(offers, 2)) for _ in range(2000)]
    listed = [likeness(sample.technologies[a], sample.technologies[b]) for a, b in pairs]
    assert np.median(listed) > np.quantile(drawn, 0.99)


# Judgments --------------------------------------------------------------------------------------


def test_judgments_are_about_records_that_exist(sample):
    assert {judgment.need for judgment in sample.judgments} <= sample.needs.keys()
    assert {judgment.technology for judgment in sample.judgments} <= sample.technologies.keys()
    assert {judgment.grade for judgment in sample.judgments} == {0, 1, 2, 3}
    assert len({judgment.key for judgment in sample.judgments}) == len(sample.judgments)


def best_grades(judgments: Iterable[Judgment]) -> dict[str, int]:
    best: dict[str, int] = {}
    for judgment in judgments:
        best[judgment.need] = max(judgment.grade, best.get(judgment.need, 0))
    return best


def names_product(technology: Technology, product: Product) -> bool:
    """Whether one of the technology's products says the product's name or another name of it."""
    names = [words(re.sub(r"\(.*?\)", "", name)) for name in (product.name, *product.aliases)]
    return any(says(words(each), name) for each in technology.products for name in names)


def says(tokens: Sequence[str], name: Sequence[str]) -> bool:
    size = len(name)
    return any(tokens[i : i + size] == name for i in range(len(tokens) - size + 1))


def test_some_needs_have_no_suitable_technology_though_their_product_has_supply(sample):
    best = best_grades(sample.judgments)
    unanswered = [need for need, grade in best.items() if grade < 2]
    assert len(unanswered) >= 12
    related = {
        sample.needs[judgment.need].product for judgment in sample.judgments if judgment.grade >= 1
    }
    supplied = [
        need
        for need in unanswered
        for product in [sample.products[sample.needs[need].product]]
        if product.id in related
        or any(names_product(t, product) for t in sample.technologies.values())
    ]
    assert 2 * len(supplied) >= len(unanswered)
    assert len(best) - len(unanswered) >= 60  # and most are answered
