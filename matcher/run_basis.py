"""What a yearly run is made from: told in its files, compared before anything is added to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from corpus.held import facts_of
from matcher import run_folder as folders
from matcher.match import Matcher
from matcher.run_folder import RunFolderError
from matcher.run_rows import Row, digest

Facts = Mapping[str, Any]
NAMES = {  # what a run is made from, as messages call it
    "data": "dữ liệu",
    "index": "chỉ mục",
    "model": "mô hình",
    "tables": "bảng từ vựng",
    "settings": "thiết lập",
    "packages": "phiên bản chương trình",
}


@dataclass(frozen=True)
class Made:
    """What a run is made from, besides the matcher that answers.

    Args:
        data: revision and digest of the store after the last change of what is matched.
        index: name of the index, and the facts of its manifest that its answers depend on.
        tables: digest of the tables of words that queries are read with.
        packages: names and versions of what may change a byte.
        notices: what whoever reads the run should know about all of it.
    """

    data: Facts
    index: Facts
    tables: str
    packages: Facts
    notices: tuple[str, ...] = ()

    def facts(self, matcher: Matcher, k: int, shard: int) -> Row:
        """Return all that a run of ``matcher`` is made from, as it stands in its files."""
        encoder = matcher.engine.encoder
        return {
            "data": dict(self.data),
            "index": dict(self.index),
            "model": {"version": matcher.model, "digest": _model_digest(matcher)},
            "tables": self.tables,
            "settings": {
                "as_of": matcher.as_of.isoformat(),
                "k": k,
                "shard": shard,
                "encoder": encoder.name if encoder else None,
            },
            "packages": dict(self.packages),
        }


def check(folder: Path, mine: Facts, found: Facts) -> None:
    """Refuse to add what is made from ``mine`` to a folder whose run says ``found``.

    Raises:
        RunFolderError: it names what differs.
    """
    theirs = found.get("made_from", {})
    other = [f"{name} ({_short(theirs.get(key), mine[key])})"
             for key, name in NAMES.items() if theirs.get(key) != mine[key]]  # fmt: skip
    if found.get("format") != folders.FORMAT or other:
        told = "; ".join(other) or "định dạng"
        raise RunFolderError(
            f"{folder} là đợt chạy trên dữ liệu hoặc thiết lập khác: {told}. "
            "Ghi vào thư mục khác, hoặc thêm --fresh để bỏ đợt cũ và chạy lại từ đầu."
        )


def basis(matcher: Matcher, facts: Facts, supply: str) -> str:
    """Digest of all that the answer to any need depends on besides the need and its product.

    ``supply`` is the digest of all technologies as they are told.
    """
    index = {key: value for key, value in facts["index"].items() if key != "name"}
    expired = [
        key
        for key, each in sorted(facts_of(matcher.technologies).items())
        if each.valid_until is not None and each.valid_until < matcher.as_of
    ]
    settings = {key: value for key, value in facts["settings"].items() if key != "as_of"}
    told = {
        **{key: facts[key] for key in ("model", "tables", "packages")},
        "index": index,
        "settings": settings,
        "supply": supply,
        "year": matcher.as_of.year,
        "expired": expired,
    }
    return digest(told)


def _model_digest(matcher: Matcher) -> str:
    """Digest of the weights and of the curves that probabilities are read off."""
    return digest([asdict(matcher.engine.weights), asdict(matcher.usefulness)])


def _short(theirs: Any, mine: Any) -> str:
    """Tell two values apart in few words: those of their parts that differ."""
    if not (isinstance(theirs, Mapping) and isinstance(mine, Mapping)):
        return f"trước {str(theirs)[:12]}, nay {str(mine)[:12]}"
    keys = sorted(key for key in {*theirs, *mine} if theirs.get(key) != mine.get(key))
    told = (
        f"{key} trước {str(theirs.get(key))[:16]}, nay {str(mine.get(key))[:16]}" for key in keys
    )
    return ", ".join(islice(told, 3))
