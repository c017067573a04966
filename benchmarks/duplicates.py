"""``python -m benchmarks.duplicates``: how well pairs that tell the same thing twice are found.

With ``--fit`` the curves are fitted anew on the sample's pairs (``corpus/sample/duplicates.tsv`` and
``corpus/sample/duplicates/``) and written to ``matcher/duplicates.json``. Folders given are only
measured, never fitted on; each holds ``technologies.csv`` and ``duplicates.tsv``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold

from corpus.lexicon import Lexicon
from corpus.readers import read
from corpus.records import Need, Record, Technology
from matcher import duplicates
from matcher.calibrate import Observed, fit
from matcher.overlap import FACTS, Comparison, Overlap
from matcher.usefulness import Curve
from service.loading import sample_files

FOLDS = 5
Ids = frozenset[frozenset[str]]


def records(paths: Sequence[Path], kind: type[Record]) -> list[Record]:
    """Return the records of ``kind`` that stand in ``paths``."""
    return [each for each in read(list(paths)).records if isinstance(each, kind)]


def pairs(path: Path) -> list[tuple[str, str, bool]]:
    """Return the pairs of a file of two or three columns; without a third they are the same."""
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [(row[0], row[1], (row + ["1"])[2] == "1") for row in rows]


def own() -> tuple[list[Record], list[tuple[str, str, bool]]]:
    """Return the sample's technologies with the second tellings, and the pairs among them."""
    folder = sample_files()[0].parent
    found = records(
        [folder / "technologies.csv", folder / "duplicates" / "technologies.csv"], Technology
    )
    return found, [*pairs(folder / "duplicates.tsv"), *pairs(folder / "duplicates" / "pairs.tsv")]
