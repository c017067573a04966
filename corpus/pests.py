"""What is fought: insects, diseases, weeds and other pests that a text names, and how two compare.

"Protect the crop" says what is done and not against what, yet a wasp that lives on leaf beetles is
of no use against caterpillars. Names, their groups and the ways people write them stand in
``pests.csv``, which officers may edit like the other tables. As with products there is a tree: a
name answers for all below it ("nấm bệnh" for thán thư), *wide* ones ("sâu bệnh") only collect, so
that those below are not near each other for that alone. A vector or symptom is ``related`` to the
disease it brings or shows, and fighting one is fighting the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from corpus.lexicon_tables import Row, ancestors, data_folder, read_table
from corpus.phrases import Both, Reading, both, is_plain, read, scan

FILE = "pests.csv"
Fought = Literal["same", "near", "other", "unknown"]


@dataclass(frozen=True)
class Pest:
    """One name of the tree, its broader names (nearest first), and what it is fought with."""

    name: str
    groups: tuple[str, ...] = ()
    related: frozenset[str] = frozenset()
    wide: bool = False


@dataclass(frozen=True)
class Pests:
    """The table, ready to be asked about a text; :meth:`load` makes one."""

    known: Mapping[str, Pest]
    _names: Mapping[str, str]  # word → name; "": it only looks like one
    _phrases: Both

    @classmethod
    def load(cls, data: Traversable) -> Pests:
        """Read the table of a folder; that of the program where a copy of older tables has none.

        Raises :class:`corpus.lexicon_tables.TableError` at the first bad cell.
        """
        folder = data if data.joinpath(FILE).is_file() else data_folder()
        rows = read_table(folder, FILE, ("name", "parent", "wide", "words", "related", "avoid"))
        known, names = dict(_known(rows)), _words(rows)
        return cls(known, names, both(names))

    def named(self, text: str, accented: bool | None = None) -> tuple[str, ...]:
        """Return the pests that ``text`` names, in their order, each once."""
        reading = read(text, accented)
        hits = scan(reading, self._phrases[reading.accented], self._at)
        return tuple(dict.fromkeys(name for *_, names in hits for name in names if name))

    def _at(
        self, reading: Reading, start: int, size: int, words: tuple[str, ...]
    ) -> tuple[str, ...]:
        if reading.accented or size > 1 or is_plain(reading, start, size):
            return tuple(dict.fromkeys(self._names[word] for word in words))
        return ()  # "ray" typed without accents may be anything

    def asked(self, text: str) -> frozenset[str]:
        """Return what a need fights: "sâu bệnh, nhất là rầy nâu" is about rầy nâu.

        A need that says no more than "sâu bệnh" asks against whatever there is: it names nothing.
        """
        named = frozenset(name for name in self.named(text) if not self.known[name].wide)
        return named - {group for name in named for group in self.known[name].groups}

    def told(self, title: str, text: str) -> frozenset[str]:
        """Return what a record fights.

        Whatever it names anywhere counts; a wide name ("sâu bệnh") only as its subject, since
        almost every record says in passing that something keeps pests away.
        """
        subject = self.named(title)
        narrow = {name for name in (*subject, *self.named(text)) if not self.known[name].wide}
        return frozenset(narrow) if self._narrow(subject) else frozenset({*subject, *narrow})

    def relation(self, asked: Iterable[str], told: Iterable[str]) -> Fought:
        """Tell how what a record fights meets what is to be fought; the best pair counts.

        ``same``: one answers for the other, or is related to it; ``near``: of one group that is not
        wide; ``unknown``: one side names nothing.
        """
        theirs = [self.known[name] for name in told if name in self.known]
        found = {self._relation(self.known[name], each) for name in asked for each in theirs}
        order: tuple[Fought, ...] = ("same", "near", "other")
        return next((each for each in order if each in found), "unknown")

    def _relation(self, mine: Pest, theirs: Pest) -> Fought:
        brought = [(self.known[name], theirs) for name in mine.related]
        bringing = [(mine, self.known[name]) for name in theirs.related]
        if any(_answers(*pair) for pair in ((mine, theirs), *brought, *bringing)):
            return "same"
        shared = set(mine.groups) & set(theirs.groups)
        return "near" if self._narrow(shared) else "other"

    def _narrow(self, names: Iterable[str]) -> bool:
        return any(not self.known[name].wide for name in names)


def _answers(one: Pest, other: Pest) -> bool:
    """Whether one is the other, or a kind of it, or the other way round."""
    return one.name == other.name or one.name in other.groups or other.name in one.groups


def _known(rows: Iterable[Row]) -> Iterator[tuple[str, Pest]]:
    """Build the tree; parents and related names must exist, without a cycle."""
    by_name: dict[str, Row] = {}
    for row in rows:
        if by_name.setdefault(row.text("name"), row) is not row:
            raise row.error("name", f'"{row.text("name")}" đã có')
    for name, row in by_name.items():
        related = row.many("related")
        unknown = next((each for each in related if each not in by_name), None)
        if unknown is not None:
            raise row.error("related", f'không có "{unknown}"')
        yield name, Pest(name, ancestors(row, by_name), frozenset(related), bool(row.cells["wide"]))


def _words(rows: Iterable[Row]) -> dict[str, str]:
    """Map word → name; a word of two names is an error, a phrase to avoid means nothing."""
    names: dict[str, str] = {}
    avoid: dict[str, str] = {}
    for row in rows:
        name = row.text("name")
        for word in map(str.lower, (name, *row.many("words"))):
            if names.setdefault(word, name) != name:
                raise row.error("words", f'"{word}" đã thuộc về "{names[word]}"')
        avoid.update(dict.fromkeys(map(str.lower, row.many("avoid")), ""))
    return avoid | names
