"""``python -m benchmarks.repair NAME=FILE…``: text repair counted on clean texts, damaged by us.

Each FILE is clean Vietnamese that the model was not built from. Lost letters: recall is the share
of damaged syllables restored and applied, precision the share of applied fillings that are right.
Clean text: syllables that repair changed, with tone placement and NFC left out. Old encodings:
letters of the mixed text that come back. Times are CPU seconds of one thread. Writes
``benchmarks/repair.md``.
"""

from __future__ import annotations

import argparse
import difflib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import damage
from corpus.choices import Judge
from corpus.language import language
from corpus.repair import THRESHOLD, mend
from corpus.text import normalise
from corpus.vanished import Restorer
from indexes.fits import Fits

OUT: Final = Path(__file__).parent / "repair.md"
_WORD: Final = re.compile(r"[^\W\d_]+")
_PLAIN: Final = re.compile(r"[\w\s.,;:()%/+-]*")
_THRESHOLDS: Final = (0.5, 0.8, 0.9, 0.95, 0.99)


def lost_letters(
    text: str, letters: str, rate: float, judge: Judge | None
) -> tuple[int, list[tuple[float, bool]]]:
    """Return how many syllables lost letters, and each filling's confidence and rightness."""
    damaged = damage.vanish(text, letters, rate, seed=1)
    fillings = Restorer(language()).fill(damaged.text, judge)
    judged = [
        (each.confidence, damaged.truth.get((each.start, each.end)) == each.after)
        for each in fillings
    ]
    return len(damaged.truth), judged


def rates(syllables: int, judged: list[tuple[float, bool]], threshold: float) -> str:
    """Return recall and precision, in per cent, of what is applied at ``threshold``."""
    applied = [right for confidence, right in judged if confidence >= threshold]
    if not applied:
        return "–"
    return f"{100 * sum(applied) / syllables:.1f} / {100 * sum(applied) / len(applied):.2f}"


def clean(text: str, judge: Judge | None) -> tuple[int, int, float]:
    """Return the syllables of a clean text, how many changed, and syllables per CPU second."""
    mend(text[:2000])
    start = time.process_time()
    mended = mend(text, judge=judge)
    seconds = time.process_time() - start
    before, after = _WORD.findall(text), _WORD.findall(mended.text)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    changed = sum(end - begin for tag, begin, end, _, _ in matcher.get_opcodes() if tag != "equal")
    return len(before), changed, len(before) / seconds


def legacy(text: str, encoding: str) -> tuple[int, int]:
    """Return the letters of ``text`` and how many did not come back out of a mixed file."""
    lines = [line for line in text.lower().split("\n") if _PLAIN.fullmatch(line)]
    kept = normalise("\n".join(lines))
    mended = mend(damage.legacy(kept, encoding, seed=1), pages=False).text
    wrong = 0
    for a, b in zip(mended.split(), kept.split(), strict=False):
        wrong += sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))
    return sum(map(str.isalpha, kept)), wrong


def tables(texts: dict[str, str], judge: Judge | None) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "# Text repair\n\n`python -m benchmarks.repair NAME=FILE…`: recall / precision, per cent"
    yield f"of syllables with lost letters; {THRESHOLD:g} is the threshold in use.\n"
    yield "| text | damage | syllables | " + " | ".join(f"≥ {t:g}" for t in _THRESHOLDS) + " |"
    yield "|---|---|---:|" + "---:|" * len(_THRESHOLDS)
    kinds = [
        (f"font without {damage.FONT}", damage.FONT, 1.0),
        (f"font without {damage.any_letters(1)}", damage.any_letters(1), 1.0),
        ("3 % of all marked letters", "".join(damage.MARKED), 0.03),
    ]
    for kind, letters, rate in kinds:
        everything: list[tuple[float, bool]] = []
        total = 0
        for name, text in texts.items():
            count, judged = lost_letters(text, letters, rate, judge)
            total, everything = total + count, everything + judged
            cells = " | ".join(rates(count, judged, t) for t in _THRESHOLDS)
            yield f"| {name} | {kind} | {count:,} | {cells} |"
        cells = " | ".join(rates(total, everything, t) for t in _THRESHOLDS)
        yield f"| **all** | {kind} | {total:,} | {cells} |"
    yield "\n| clean text | syllables | changed | syllables/s |\n|---|---:|---:|---:|"
    for name, text in texts.items():
        count, changed, speed = clean(normalise(text), judge)
        yield f"| {name} | {count:,} | {changed} | {speed:,.0f} |"
    yield "\n| mixed with Unicode | letters | wrong | right |\n|---|---:|---:|---:|"
    for encoding in ("TCVN3", "VNI", "VISCII"):
        counts = [legacy(text, encoding) for text in texts.values()]
        letters, wrong = (sum(each) for each in zip(*counts, strict=True))
        yield f"| {encoding} | {letters:,} | {wrong} | {100 - 100 * wrong / letters:.3f} % |"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description="Count what text repair gets right.")
    parser.add_argument("texts", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--no-encoder", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    files = dict(each.split("=", 1) for each in given.texts)
    texts = {name: Path(path).read_text("utf-8") for name, path in files.items()}
    lines = tables(texts, None if given.no_encoder else Fits())
    given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
