"""Vietnamese-like records in any number, from the sample's own statistics and one seed.

Speed depends on how many terms there are, how often each stands and how long records are, so a
generator must not merely repeat the sample. Text is an order-2 Markov chain over the sample's
words, held to the sample's growth by three thermostats:

* where fewer syllables have been used than the sample's Heaps curve ``V(n) = k n^b`` says for this
  many, a new word is coined (letter by letter, from the letters of the sample's words);
* where a record has used more distinct syllables than a sample record of that length so far (its
  own such curve), it repeats one of its words: a text keeps to its topic;
* where fewer bigrams have been used than the curve of the sample's bigrams says, the chain jumps
  to a word from an urn, which holds the sample's words and coined ones and returns each drawn word
  twice, so that frequencies fall off as Zipf says.

A record takes its field lengths (scaled to :data:`WORDS` words in all), products, keywords and all
other facts from a sample record drawn at random. Beyond the sample's size the curves are
extrapolated: nobody has measured them there.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice, pairwise

import numpy as np

from corpus.records import Need, Technology
from corpus.text import normalise, syllables

WORDS = 110  # of title, summary, detail and effect together, on average
TEXTS = ("name", "summary", "detail", "effect")
SEED = 20_261_123
_PACE = 0.4  # chance to act on a thermostat at each word: spreads coined words over the text
_ENDS = ".,;:!?()"
_LONGEST = 12  # letters of a coined word
_SHORT = (3, 8)  # words of a short query


@dataclass(frozen=True)
class Curve:
    """``k n^b``: how many distinct terms stand in the first ``n`` syllables."""

    k: float
    b: float

    def at(self, n: int) -> float:
        """The number of distinct terms expected in ``n`` syllables."""
        return float(self.k * n**self.b)

    @classmethod
    def fit(cls, points: Sequence[tuple[int, int]]) -> Curve:
        """Fit by least squares on the logarithms, the first twentieth left out."""
        last = points[-1][0]
        used = [(n, count) for n, count in points if n >= last / 20] or list(points)
        n, counts = np.log(np.array(used, np.float64)).T
        b, log_k = np.polyfit(n, counts, 1)
        return cls(float(np.exp(log_k)), float(b))


def texts(record: Technology) -> list[str]:
    """The texts of ``record`` that the generator imitates, normalised; what is missing is empty."""
    return [normalise(getattr(record, name) or "") for name in TEXTS]


@dataclass
class Growth:
    """Counts distinct syllables and bigrams as text goes by; bigrams stop at clause ends."""

    n: int = 0
    seen: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    last: str = ""

    def add(self, word: str, units: tuple[str, ...]) -> None:
        """Count one word, given with its syllables."""
        for unit in units:
            self.n += 1
            self.seen.add(unit)
            if self.last:
                self.pairs.add((self.last, unit))
            self.last = unit
        if word[-1] in _ENDS:
            self.last = ""


def distinct_within(records: Sequence[Sequence[str]], step: int = 10) -> list[tuple[int, int]]:
    """Return (syllables, distinct syllables) along each record by itself, all records together."""
    points = []
    for record in records:
        found: dict[str, None] = {}
        units = [unit for text in record for word in text.split() for unit in units_of(word)]
        for number, unit in enumerate(units, start=1):
            found[unit] = None
            if number % step == 0:
                points.append((number, len(found)))
    return sorted(points)


def units_of(word: str) -> tuple[str, ...]:
    """The lower-cased syllables inside one word of running text."""
    return tuple(span.text.lower() for span in syllables(word))


def growth_of(records: Sequence[Sequence[str]], step: int = 200) -> list[tuple[int, int, int]]:
    """Return (syllables, distinct syllables, distinct bigrams) along ``records``' texts."""
    growth, points, due = Growth(), [], step
    for record in records:
        for text in record:
            growth.last = ""
            for word in text.split():
                growth.add(word, units_of(word))
        if growth.n >= due:
            points.append((growth.n, len(growth.seen), len(growth.pairs)))
            due = growth.n + step
    return points


class Generator:
    """Writes records like ``sample``; the same sample and seed give the same bytes."""

    def __init__(self, sample: Sequence[Technology], seed: int = SEED) -> None:
        self.sample = [record.public() for record in sample]
        self._random = random.Random(seed)
        written = [texts(record) for record in self.sample]
        shuffled = list(written)
        self._random.shuffle(shuffled)
        points = growth_of(shuffled)
        self.vocabulary = Curve.fit([(n, count) for n, count, _ in points])
        self.bigrams = Curve.fit([(n, count) for n, _, count in points])
        self.within = Curve.fit(distinct_within(written))
        words = sum(len(text.split()) for record in written for text in record)
        self.scale = WORDS * len(written) / words
        self.growth = Growth()
        self._learn(written)

    def _learn(self, written: Sequence[Sequence[str]]) -> None:
        self._one: defaultdict[str, list[str]] = defaultdict(list)
        self._two: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._urn: list[str] = []
        for record in written:
            for name, text in zip(TEXTS, record, strict=True):
                words = ["", f"<{name}>", *text.split()]
                self._urn += words[2:]
                for before, (last, word) in zip(words, pairwise(words[1:]), strict=False):
                    self._two[before, last].append(word)
                    self._one[last].append(word)
        self._units = {word: units_of(word) for word in self._urn}
        self._letters: defaultdict[str, list[str]] = defaultdict(list)
        for unit in dict.fromkeys(unit for word in self._urn for unit in self._units[word]):
            for place in range(len(unit) + 1):
                context = unit[max(place - 2, 0) : place]
                self._letters[context].append(unit[place : place + 1])

    def records(self, count: int) -> Iterator[Technology]:
        """Yield ``count`` records with ids that sort in this order."""
        for number in range(count):
            pattern = self._random.choice(self.sample)
            self._own: list[str] = []
            self._own_units: Counter[str] = Counter()
            wanted = zip(TEXTS, texts(pattern), strict=True)
            written = {name: self._text(name, len(text.split())) for name, text in wanted}
            yield pattern.model_copy(update={"id": f"SINH-{number:08d}", **written})

    def _text(self, name: str, words: int) -> str | None:
        """Write a text for one field, scaled from ``words`` words of the sample's."""
        count = int(words * self.scale + self._random.random())
        count = max(count, 3) if name == "name" else count
        if count == 0:
            return None
        self.growth.last = ""
        before, last, found = "", f"<{name}>", []
        for _ in range(count):
            before, last = last, self._next(before, last)
            self.growth.add(last, self._units[last])
            self._own.append(last)
            self._own_units.update(self._units[last])
            found.append(last)
        return " ".join(found)

    def _next(self, before: str, last: str) -> str:
        growth = self.growth
        if self._random.random() < _PACE:
            if len(growth.seen) < self.vocabulary.at(growth.n):
                return self._coin()
            own = self._own_units.total()
            if own and len(self._own_units) > self.within.at(own):
                return self._random.choice(self._own)
            if len(growth.pairs) < self.bigrams.at(growth.n):
                return self._draw()
        following = self._two.get((before, last)) or self._one.get(last)
        return self._random.choice(following) if following else self._draw()

    def _draw(self) -> str:
        word = self._random.choice(self._urn)
        self._urn.append(word)
        return word

    def _coin(self) -> str:
        """Return a word that has not been used: letters drawn each after the two before it."""
        while True:
            word, letter = "", "?"
            while letter and len(word) < _LONGEST:
                letter = self._random.choice(self._letters[word[-2:]])
                word += letter
            units = units_of(word)
            if len(units) == 1 and word not in self._units and units[0] not in self.growth.seen:
                self._units[word] = units
                self._urn.append(word)
                return word


def queries(
    records: Sequence[Technology], needs: Sequence[Need], count: int, seed: int = SEED
) -> list[str]:
    """Return ``count`` queries: stated needs and, in turn, 3–8 words from a record's texts."""
    chance = random.Random(seed)
    stated = [normalise(need.text) for need in chance.sample(needs, len(needs))]
    turns = islice(cycle(stated), (count + 1) // 2)
    pairs = ((need, _stretch(chance, chance.choice(records))) for need in turns)
    return [query for pair in pairs for query in pair][:count]


def _stretch(chance: random.Random, record: Technology) -> str:
    """A few neighbouring words of ``record``, at least one of them with letters or digits."""
    words = " ".join(texts(record)).split()
    while True:
        length = chance.randint(*_SHORT)
        start = chance.randrange(max(len(words) - length, 0) + 1)
        found = " ".join(words[start : start + length])
        if units_of(found):
            return found
