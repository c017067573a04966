"""What comes back from a matcher: answers, lists that cover a product's needs, takers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from corpus.priority import Priority
from corpus.records import Need, Product, Technology
from matcher import explain
from matcher.hits import Hit, Key, Ranking
from matcher.model import VERSION
from matcher.need import Query

UNPLACED: Key = (0.0, 0)  # of a match that stands in no list


@dataclass(frozen=True)
class Match:
    """One technology for one query, explained."""

    technology: Technology
    hit: Hit
    explanation: explain.Explanation
    usefulness: float = 0.0  # probability that it is of use, 0..1, comparable between needs
    key: Key = UNPLACED  # tells its place in the ranking: see matcher.hits
    priorities: tuple[Priority, ...] = ()  # its groups in the priority list in force

    @property
    def label(self) -> str:
        """phù hợp, cần điều chỉnh or tham khảo."""
        return self.explanation.label


@dataclass(frozen=True)
class InDoubt:
    """Hits of which nobody can tell whether they lie in the places asked for, best first.

    ``places`` is how these are called; ``total`` counts all such hits, not only those listed.
    """

    places: tuple[str, ...]
    matches: tuple[Match, ...]
    total: int

    @property
    def reason(self) -> str:
        """Why they are apart."""
        return f"chưa xác định được thuộc {' hoặc '.join(self.places)} hay không"


@dataclass(frozen=True)
class Answer:
    """What a query found: matches best first, and apart from them what breaks a hard rule.

    ``total`` counts all hits that the filter admits, not only those listed;
    ``answerable`` is the probability that anything in the collection is of use. ``undecided`` is
    there where a place was asked for.
    """

    query: Query
    matches: tuple[Match, ...]
    set_apart: tuple[Match, ...] = ()
    total: int = 0
    notices: tuple[str, ...] = ()
    answerable: float = 0.0
    model: str = VERSION  # of the weights that ranked
    ranking: Ranking | None = field(default=None, repr=False, compare=False)  # of all hits
    undecided: InDoubt | None = None

    @property
    def found(self) -> bool:
        """Whether anything listed is more than a reference; else the answer is "not found"."""
        return any(match.label != explain.REFERENCE for match in (*self.matches, *self.set_apart))

    @property
    def nearest(self) -> Match | None:
        """The nearest miss, where nothing is found: the first hit, whatever rule it breaks."""
        best = sorted(
            (*self.matches[:1], *self.set_apart[:1]),
            key=lambda each: (-round(each.hit.score, 6), each.technology.id),
        )
        return best[0] if best and not self.found else None


@dataclass(frozen=True)
class Choice:
    """One line of a product's list: a technology and the needs it was chosen for, best first."""

    match: Match
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class ProductList:
    """A list that covers a product's needs, and the answer of each need it was chosen from."""

    product: Product
    choices: tuple[Choice, ...]
    answers: Mapping[str, Answer]
    uncovered: tuple[Need, ...]


@dataclass(frozen=True)
class Taker:
    """A need that a technology may serve, and how."""

    need: Need
    product: Product | None
    match: Match


@dataclass(frozen=True)
class Sought:
    """A need as it was read, and all that it finds; it may be kept as long as the index.

    ``trouble`` says what people are to be told about the ranking, or nothing.
    """

    need: Need
    query: Query
    ranking: Ranking = field(repr=False)
    answerable: float
    trouble: str = ""
