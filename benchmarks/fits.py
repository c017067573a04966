"""``python -m benchmarks.fits``: fit the probe of :mod:`indexes.fits` on text of our own.

Of each sentence a few syllables with a Vietnamese letter are drawn. Against each stand two others
that differ from it in one such letter, the commoner and those met after the same neighbour the
likelier. The probe is a logistic regression on the differences of the states, without an intercept.
Texts: ``benchmarks/prose.txt``, the sample records and, with ``--html FOLDER``, 3,500 lines of the
Vietnamese help of LibreOffice 7.4 (MPL-2.0), as for the shipped file. The same texts give the same
bytes, in about three minutes. Pairs stay by sentence, so that those held out share none with those
fitted on.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from benchmarks.syllables import ROOT, cells, help_pages
from corpus.choices import Choice
from corpus.fragments import HOLE, MARKED, Patterns, patterns
from corpus.language import BOUNDARY, Language, language
from indexes.e5_weights import Floats
from indexes.fits import DATA, Fits

PAIRS: Final = 24_000
HELD_OUT: Final = 2_000  # pairs that the printed share is of
_HELP: Final = 3_500
_DRAWN: Final = 5  # syllables of one sentence
_EVEN: Final = 0.7  # below 1 rare words are drawn oftener than they are met
_STRENGTH: Final = 0.004  # C of the regression
_ENDS: Final = re.compile(r"(?<=[.;:])\s+|\n")
_SYLLABLE: Final = re.compile(r"[^\W\d_]+")


def sentences(pages: Path | None, rng: random.Random) -> list[str]:
    """Return the sentences that are drawn from, in an order drawn too."""
    prose = (ROOT / "benchmarks/prose.txt").read_text("utf-8")
    found = [each for each in _ENDS.split(prose) if len(each.split()) > 5]
    records = cells(ROOT / "corpus/sample", "[npt]*.csv")
    found += [each for each in records if len(each.split()) > 7]
    helped = help_pages(pages) if pages else ()
    more = [each for each in dict.fromkeys(helped) if len(each.split()) > 9]
    rng.shuffle(more)
    found = list(dict.fromkeys([*found, *more[:_HELP]]))
    rng.shuffle(found)  # pairs stay by sentence: those held out share none with those fitted on
    return found


def choices(
    sentence: str, known: Language, table: Patterns, rng: random.Random
) -> Iterator[Choice]:
    """Yield choices of two words, what was written and another."""
    words = sentence.split()
    plain = [word.strip(",.;:()").lower() for word in words]
    marked = [at for at, word in enumerate(plain) if known.number(word) and MARKED & set(word)]
    for at in rng.sample(marked, min(len(marked), _DRAWN)):
        word = plain[at]
        hole = rng.choice([place for place, letter in enumerate(word) if letter in MARKED])
        rivals = [each for each, _ in table[word[:hole] + HOLE + word[hole + 1 :]] if each != word]
        if not rivals or not _SYLLABLE.fullmatch(word):
            continue
        before = known.number(plain[at - 1]) if at else BOUNDARY
        weights = [exp(_EVEN * known.logp(BOUNDARY, before, known.number(r))) for r in rivals]
        for rival in sorted(set(rng.choices(rivals, weights, k=2))):
            yield Choice(" ".join(words[:at]), (word, rival), " ".join(words[at + 1 :]))


def probe(differences: Floats) -> Floats:
    """Fit: every difference, written minus other, is to weigh more than nothing."""
    spread = differences.std(axis=0) + 1e-6
    signs = np.where(np.arange(len(differences)) % 2, 1, -1)
    model = LogisticRegression(C=_STRENGTH, fit_intercept=False, max_iter=200)
    model.fit(differences / spread * signs[:, None], signs > 0)
    return np.asarray(model.coef_[0] / spread, np.float32)


def main() -> None:
    """Fit the probe, tell how often it is right on pairs held out, and write it."""
    parser = argparse.ArgumentParser(description="Fit the probe that text repair asks.")
    parser.add_argument("--html", type=Path)
    parser.add_argument("--out", type=Path, default=DATA)
    given = parser.parse_args()
    rng, known = random.Random(1), language()
    table = patterns(known)
    drawn = [
        choice
        for sentence in sentences(given.html, rng)
        for choice in choices(sentence, known, table, rng)
    ]
    states = Fits().states(drawn[:PAIRS])
    differences = states[0::2] - states[1::2]
    fitted = probe(differences[HELD_OUT:])
    print(f"held out: {np.mean(differences[:HELD_OUT] @ fitted > 0):.3f}")
    np.savez_compressed(given.out, probe=fitted)


if __name__ == "__main__":
    main()
