"""``python -m benchmarks.syllables``: build the counts of syllables that text repair decides by.

Sources, each counted as it says; nothing of a text goes into the file but counts of one, two and
three syllables:

* the sample records (twice) and the word tables of ``corpus/data``, and the Vietnamese sentences
  of the program's own code and pages;
* ``benchmarks/prose.txt``, written for this (twice): administration, law, farming, health …;
* the word list of the installed ``pyvi`` (MIT);
* with ``--html FOLDER``: the Vietnamese help of LibreOffice 7.4 (MPL-2.0), general prose;
* with ``--crf FILE…``: pairs of syllables among the features of the word segmenter and taggers of
  underthesea 9.5 (Apache-2.0), which were trained on newspapers.

The file in ``corpus/data`` was built with both options. The documents and passages that repair is
measured on were not used.
"""

from __future__ import annotations

import argparse
import csv
import html
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Final

from corpus.language import COMMA, DATA, NUMBER, Counts, Language
from corpus.syllables import LETTERS, inventory
from corpus.text import normalise

ROOT: Final = Path(__file__).resolve().parent.parent
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d[\d.,]*|[^\s]")
_MARKED: Final = re.compile("[" + "".join(sorted(c for c in LETTERS if not c.isascii())) + "]")
_TAG: Final = re.compile(r"(?s)<(script|style).*?</\1>|<[^>]+>")
_BLOCK: Final = re.compile(r"</(?:p|h\d|td|li|div)>")
_FEATURE: Final = re.compile(rb"T\[(?:-1,0|0,1|1,2|-2,-1|-2,0|0,2|-1,1)\][^=\x00]*=([^\x00]+)\x00")


class Builder:
    """Numbers the syllables as they come and counts them."""

    def __init__(self) -> None:
        """Start with the two signs that stand for numbers and marks."""
        self.ids = {NUMBER: 1, COMMA: 2}
        self.counts = Counts()

    def add(self, line: str, times: int = 1, *, fragment: bool = False) -> None:
        """Count a line; a ``fragment`` has no beginning and no end."""
        known, ids = inventory(), [0]
        for token in _TOKEN.findall(normalise(line).lower()):
            if token in known:
                ids.append(self.ids.setdefault(token, len(self.ids) + 1))
            elif token[0].isdigit():
                ids.append(self.ids[NUMBER])
            elif token in ",;-–/":
                ids.append(self.ids[COMMA])
            elif ids[-1]:
                ids.append(0)
        if fragment:
            ids = ids[1:]
        elif ids[-1]:
            ids.append(0)
        self.counts.add(ids, times)

    def model(self) -> Language:
        """Return the model of what was counted."""
        return Language(list(self.ids), self.counts)


def cells(folder: Path, pattern: str) -> Iterator[str]:
    """Yield the cells with a Vietnamese letter of the tables in ``folder``."""
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","):
                yield from (cell for cell in row if _MARKED.search(cell))


def sentences() -> Iterator[str]:
    """Yield the Vietnamese stretches of the program's code, pages and documents."""
    for room in ("corpus", "indexes", "matcher", "service", "docs"):
        for suffix in ("py", "html", "md"):
            for path in sorted((ROOT / room).rglob(f"*.{suffix}")):
                found = re.findall(r'[^"<>{}\\\n]+', path.read_text("utf-8"))
                yield from (each for each in found if _MARKED.search(each))


def help_pages(folder: Path) -> Iterator[str]:
    """Yield the lines of HTML pages that are mostly Vietnamese."""
    for path in sorted(folder.rglob("*.html")):
        text = _BLOCK.sub("\n", path.read_text("utf-8"))
        for line in html.unescape(_TAG.sub(" ", text)).split("\n"):
            plain = " ".join(line.split())
            if len(plain) > 20 and len(_MARKED.findall(plain)) > 0.08 * len(plain):
                yield plain


def features(path: Path) -> Iterator[str]:
    """Yield the pairs of syllables that a CRF model has features for."""
    for match in _FEATURE.finditer(path.read_bytes()):
        words = match[1].decode("utf-8", "ignore").lower().split()
        for pair in pairwise(words):
            if set("".join(pair)) <= LETTERS:
                yield " ".join(pair)


def build(pages: Path | None, models: Iterable[Path]) -> Language:
    """Count all sources and return the model."""
    builder = Builder()
    for line in cells(ROOT / "corpus/sample", "[npt]*.csv"):
        builder.add(line, 2)
    once = [*cells(ROOT / "corpus/data", "*.csv"), *cells(ROOT / "corpus/sample", "judgments.tsv")]
    for line in dict.fromkeys(part for cell in once for part in cell.split(";")):
        builder.add(line)
    for line in dict.fromkeys(sentences()):
        builder.add(line)
    for line in (ROOT / "benchmarks/prose.txt").read_text("utf-8").replace(". ", "\n").split("\n"):
        builder.add(line, 2)
    for line in dict.fromkeys(help_pages(pages)) if pages else ():
        builder.add(line)
    words = files("pyvi").joinpath("models/words.txt").read_text("utf-8").split("\n")
    for line in dict.fromkeys([*(pair for path in models for pair in features(path)), *words]):
        if " " in line.strip():
            builder.add(line, fragment=True)
    return builder.model()


def main() -> None:
    """Build the file; the same sources give the same bytes."""
    parser = argparse.ArgumentParser(description="Count syllables for text repair.")
    parser.add_argument("--html", type=Path)
    parser.add_argument("--crf", type=Path, nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=DATA)
    given = parser.parse_args()
    build(given.html, given.crf).save(given.out)
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
