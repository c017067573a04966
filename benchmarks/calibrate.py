"""``python -m benchmarks.calibrate``: fit the curves of usefulness on the sample and write them.

Vectors are those of the encoder that the program takes where nobody chose.
Writes ``matcher/usefulness.json``; run it again when the ranking's weights, the tables or the
sample have changed (``tests/test_usefulness.py`` says when the file no longer fits).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.lexicon import Lexicon
from corpus.places import Places
from indexes.encoders import Cache, Encoder
from indexes.hybrid import Index
from matcher import usefulness
from matcher.calibrate import calibrate
from matcher.match import Matcher
from matcher.search import Engine
from matcher.testsets import TestSet, load
from service.loading import sample_files
from service.workspace import encoder_or_words

AS_OF = dt.date(2026, 11, 23)  # validity plays no part: grades are topical


def fitted(encoder: Encoder | None, cache: Cache | None) -> dict[str, Any]:
    """Fit on the sample; without an encoder only the curves of words."""
    lexicon, places = Lexicon.load(), Places.load()
    folder = sample_files()[0].parent
    blank = usefulness.Usefulness({}, {}, {})

    def reopen(testset: TestSet, dense: bool) -> Matcher:
        engine = encoder if dense else None
        index = Index.build(testset.documents, engine, cache if engine else None)
        return Matcher(
            Engine(index, engine, lexicon, places, cache=cache),
            {each.id: each for each in testset.technologies},
            {each.id: each for each in testset.products},
            {each.id: each for each in testset.needs},
            AS_OF,
            _seats(testset, index),
            blank,
        )

    data = calibrate(load(folder, lexicon), duplicates(folder), lexicon, reopen)
    data["fitted_on"]["encoder"] = encoder.name if encoder else None
    return data


def _seats(testset: TestSet, index: Index) -> tuple[str | None, ...]:
    provinces = {each.id: each.province for each in testset.technologies}
    return tuple(provinces[key] for key in index.ids)


def duplicates(folder: Path) -> list[tuple[str, str]]:
    """Pairs of records that tell the same thing twice."""
    lines = (folder / "duplicates.tsv").read_text(encoding="utf-8").splitlines()
    return [(one, other) for one, other in (line.split("\t")[:2] for line in lines if line)]


def main(given: Sequence[str] | None = None) -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("data"), help="where vectors are kept")
    options = parser.parse_args(given)
    cache = Cache(options.work / "cache" / "embeddings.sqlite")
    encoder, notice = encoder_or_words(None)
    if encoder is None:
        parser.error(notice)
    data = fitted(encoder, cache)
    target = Path(usefulness.__file__).with_name(usefulness.FILE)
    target.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(target.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
