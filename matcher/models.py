"""Learnt models on disk: what each was learnt on, which one is current, and every attempt at one.

Layout of the folder::

    CURRENT                the name of the model file that searches use; absent or "default": none
    LOCK                   held while somebody learns
    attempts.jsonl         one line for each attempt and each return, only ever added to
    model-<digest>.json    a model; never changed, never deleted

A model is a multiplier for each part of a score, upon the weights of :mod:`matcher.model` that it
was learnt on, and the scales by which chances of use are read off the new scores. If the program
comes with other weights one day, the multipliers no longer mean what they meant, and the plain
weights are used, visibly.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from matcher.hits import FEEDBACK
from matcher.model import DEFAULT, VERSION, Weights

SCHEMA = 1
NONE = "default"  # what CURRENT says when no model is in use
Multipliers = Mapping[str, float]  # part of a score → what its weight is multiplied by, >= 0
# Parts that several fields of the weights make; any other part is made by the field of its name.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "product": ("same_product", "broader_product", "near_product"),
    "stage": ("stage", "stage_stated", "stage_also"),
    "meaning": ("meaning", "need_meaning"),
    FEEDBACK: ("taken_up",),  # not the weight called feedback, which turns the meaning
}
# Divided by their own ceiling: their weights only say how they share it.
_LEXICAL = frozenset({"words", "syllables", "bigrams", "unaccented"})


# What is made of a score once it stands.
_AFTER = frozenset(
    {
        "suits",
        "adapts",
        "adapts_own",
        "adapts_near",
        "found",
        "evidence_scale",
        "words_evidence_scale",
    }
)


class ModelError(RuntimeError):
    """A model cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Model:
    """Multipliers, the weights they are for, the model before, and what they were learnt on.

    ``scales`` replaces the weights that scale a score before a chance of use is read off it: with
    other multipliers the same evidence adds up to another score.
    """

    multipliers: Multipliers
    scales: Mapping[str, float] = field(default_factory=dict)
    base: str = ""  # digest of the weights that are multiplied
    previous: str = NONE
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return everything, as the file holds it."""
        return {"schema": SCHEMA, **asdict(self)}

    @property
    def name(self) -> str:
        """The file's name, by its content."""
        text = json.dumps(self.to_json(), ensure_ascii=False, sort_keys=True)
        return f"model-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    @property
    def version(self) -> str:
        """What answers name: the weights' version, and the model's digest if there is one."""
        return f"{VERSION}+{self.name[6:14]}" if self.multipliers else VERSION


PLAIN = Model({})


@dataclass(frozen=True)
class InUse:
    """The weights that a search runs on, how they are called, and what the user should know."""

    weights: Weights = DEFAULT
    version: str = VERSION
    model: Model = PLAIN
    notice: str = ""


def field_names(part: str) -> tuple[str, ...]:
    """Return the fields of the weights that scale ``part``; empty: nothing scales it."""
    known = {each.name for each in fields(Weights)} - _LEXICAL
    return tuple(name for name in _FIELDS.get(part, (part,)) if name in known)


def scaled(weights: Weights, multipliers: Multipliers) -> Weights:
    """Return ``weights`` with those of every part multiplied, so that the part is."""
    values = asdict(weights)
    changed = {
        name: values[name] * factor
        for part, factor in multipliers.items()
        for name in field_names(part)
    }
    return replace(weights, **changed)


def base_digest(weights: Weights) -> str:
    """SHA-256 (hex, 16 digits) of the weights by name."""
    return _digest(asdict(weights))


def ranking_digest(weights: Weights) -> str:
    """SHA-256 (hex, 16 digits) of the weights that scores are made of: no thresholds, no scales."""
    values = asdict(weights)
    return _digest({name: value for name, value in values.items() if name not in _AFTER})


def _digest(values: Mapping[str, float]) -> str:
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Models:
    """The models of one work folder. Nothing is written but by :meth:`locked` callers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "CURRENT"
        self._log = folder / "attempts.jsonl"

    def current(self) -> str:
        """Return the name of the current model, or :data:`NONE`."""
        if not self._pointer.is_file():
            return NONE
        return self._pointer.read_text(encoding="utf-8", errors="replace").strip() or NONE

    def read(self, name: str) -> Model:
        """Return a model by name.

        Raises:
            ModelError: it is missing, damaged, or of a newer program.
        """
        if name == NONE:
            return PLAIN
        path = self.folder / name
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("schema") != SCHEMA:
                raise ModelError(f"{path} thuộc về phiên bản khác của Cung Cầu: chạy lại `learn`")
            model = Model(**found)
            numbers = (*model.multipliers.values(), *model.scales.values())
            good = all(math.isfinite(each) and each >= 0 for each in numbers)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"không đọc được mô hình {path}: {error}") from error
        if not good or model.name != name:
            raise ModelError(f"mô hình {path} đã bị sửa hoặc hỏng")
        return model

    def in_use(self, base: Weights = DEFAULT) -> InUse:
        """Return what searches run on; a model that cannot be used is left out, with a notice."""
        name = self.current()
        try:
            model = self.read(name)
        except ModelError as error:
            return InUse(base, notice=f"Dùng trọng số mặc định: {error}.")
        if name != NONE and model.base != base_digest(base):
            told = "mô hình đã học nhân trên bộ trọng số khác; chạy lại `cungcau learn`"
            return InUse(base, notice=f"Dùng trọng số mặc định: {told}.")
        weights = replace(scaled(base, model.multipliers), **model.scales)
        return InUse(weights, model.version, model)

    def attempts(self) -> int:
        """Return how many attempts have looked at the locked fold.

        A line that cannot be read, which a full disk or a kill may leave, counts as one: trying
        again must not become cheaper by losing the account.
        """
        if not self._log.is_file():
            return 0
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return sum(_counts(line) for line in lines if line.strip())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from learning here meanwhile.

        Raises:
            ModelError: somebody else is at it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "LOCK").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"tiến trình khác đang học trong {self.folder}") from error
            yield

    def log(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the account and see it to the disk."""
        line = json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
        with self._log.open("ab") as file:
            if file.tell() and not self._log.read_bytes().endswith(b"\n"):
                line = "\n" + line  # after a line that was cut short
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def keep(self, model: Model) -> None:
        """Write a model, which does not make it current."""
        text = json.dumps(model.to_json(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        _write(self.folder / model.name, text)

    def use(self, name: str) -> None:
        """Make a kept model, or :data:`NONE`, the current one, at once or not at all."""
        self.read(name)
        _write(self._pointer, name + "\n")


def _counts(line: str) -> bool:
    try:
        return bool(json.loads(line).get("counted", True))
    except (ValueError, AttributeError):
        return True


def _write(path: Path, text: str) -> None:
    """Let a file appear whole or not at all, also through a power cut."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
