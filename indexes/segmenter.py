"""pyvi's word segmentation, exactly, many times as fast.

pyvi decides by a linear-chain CRF whether a token belongs to the word before it. It describes each
token by a dict of features and hands these to CRFsuite as strings, which is nearly all of its time.
Here the same model file is read once into arrays: a token's weights are looked up when it is first
seen, and a text is decoded by number. Weights are added in pyvi's order in float64 and ties go as
in CRFsuite, so that the labels are the same, not nearly the same (``tests/test_segmenter.py``
compares them). Neither pyvi nor scikit-learn, which takes two seconds, is imported for that.

It holds for the files that were compared, told by their digests. Where others are installed,
:func:`open_segmenter` says so in the log and pyvi itself does the work.

Format of the model: CRFsuite 0.12, ``crf1d_model.c`` and ``cqdb`` (N. Okazaki). Features and
joining: ``ViTokenizer.py`` (Trần Việt Trung).
"""

from __future__ import annotations

import codecs
import hashlib
import io
import logging
import pickle
import re
import string
import struct
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Weights = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

# SHA-256 of the files of pyvi 0.1.1 with which the two were compared.
COMPARED = {
    "ViTokenizer.py": "ad11cdacf45b5b2801cd97a473f70effb3a36b94779b80c776a11cedaa18e1c1",
    "models/pyvi3.pkl": "6cdd73aee04b6a4ad7320ca85d27d931a7ef870cfdd41beb148e86bdb8aca134",
    "models/words.txt": "517743d27e71d43343e4b8e9e89015cdc68d84ebe1d48106449e501d918ece4a",
}
LABELS = ("B_W", "I_W")  # begins a word, continues one
_NOTHING = np.zeros(len(LABELS))
_APART, _TITLE = 1, 2  # flags of a token: never joined on either side; begins with a capital
_LOG = logging.getLogger(__name__)

# ViTokenizer.sylabelize, in its order; a line break is a token, other white space is none.
_TOKEN = re.compile(
    r"[A-ZĐ]+\.|Tp\.|Mr\.|Mrs\.|Ms\.|Dr\.|ThS\.|==>|->|\.\.\.|>>|\n|\w+://[^\s]+"
    r"|[a-zA-Z0-9_.+-]+@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z0-9-]+|\d+(?:[\.,_]\d+)+|[^\w\s]|\w+"
)


def tokens(text: str) -> list[str]:
    """Return pyvi's tokens of NFC ``text``; none holds white space, but a line break is one."""
    return _TOKEN.findall(text)


class Model(NamedTuple):
    """A CRF of two labels: weights (2,) of each attribute by name, and (2, 2) from label to label.

    A row of ``transitions`` is where the chain comes from.
    """

    attributes: Mapping[str, Weights]
    transitions: Weights


class _Opaque:
    """Stands for the classes inside pyvi's pickle, of which only the model's bytes matter."""

    def __init__(self, *_: object) -> None:
        self.state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return codecs.encode if (module, name) == ("_codecs", "encode") else _Opaque


def model_bytes(pickled: bytes) -> bytes:
    """Return the CRFsuite model inside a pickled ``sklearn_crfsuite.CRF``; runs no code of it."""
    crf = _Unpickler(io.BytesIO(pickled)).load()
    data: bytes = crf.state["modelfile"].state["__FILE_RESOURCE_DATA__"]
    return data


def parse(data: bytes) -> Model:
    """Read a CRFsuite model file; ``ValueError`` if it is no first-order CRF of :data:`LABELS`."""
    if data[:4] != b"lCRF" or data[8:12] != b"FOMC":
        raise ValueError("not a first-order CRFsuite model")
    features_at, labels_at, attributes_at = struct.unpack("<3I", data[28:40])
    if tuple(_names(data, labels_at)) != LABELS:
        raise ValueError(f"labels are not {', '.join(LABELS)}")
    count = struct.unpack("<I", data[features_at + 8 : features_at + 12])[0]
    kind = np.dtype([("type", "<u4"), ("source", "<u4"), ("label", "<u4"), ("weight", "<f8")])
    features = np.frombuffer(data, kind, count, features_at + 12)
    states, moves = features[features["type"] == 0], features[features["type"] == 1]
    names = _names(data, attributes_at)
    weights = np.zeros((len(names), len(LABELS)))
    weights[states["source"], states["label"]] = states["weight"]
    transitions = np.zeros((len(LABELS), len(LABELS)))
    transitions[moves["source"], moves["label"]] = moves["weight"]
    return Model(dict(zip(names, weights, strict=True)), transitions)


def _names(data: bytes, start: int) -> list[str]:
    """Read the strings of a constant database (CQDB) in the order of their numbers."""
    count, table = struct.unpack("<2I", data[start + 16 : start + 24])
    names = []
    for place in struct.unpack(f"<{count}I", data[start + table : start + table + 4 * count]):
        size = struct.unpack("<I", data[start + place + 4 : start + place + 8])[0]
        key = data[start + place + 8 : start + place + 8 + size]
        names.append(key.rstrip(b"\0").decode("utf-8", "replace"))
    return names


class Phrases(NamedTuple):
    """Known phrases of two and three words: sorted numbers made of the words' numbers."""

    words: Mapping[str, int]
    pairs: Numbers
    triples: Numbers

    @classmethod
    def of(cls, lines: Iterable[str]) -> Phrases:
        """Read one phrase per line, words divided by one space; other lengths do not matter."""
        found = [parts for line in lines if 2 <= len(parts := line.split(" ")) <= 3]
        words: dict[str, int] = {}
        for parts in found:
            for part in parts:
                words.setdefault(part, len(words))
        size = len(words)

        def numbers(length: int) -> Numbers:
            rows = (parts for parts in found if len(parts) == length)
            made = {sum(words[w] * size**i for i, w in enumerate(reversed(p))) for p in rows}
            return np.array(sorted(made), np.int64)

        return cls(words, numbers(2), numbers(3))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _among(sorted_numbers: Any, number: int) -> bool:
    low, high = 0, sorted_numbers.shape[0]
    while low < high:
        middle = (low + high) // 2
        if sorted_numbers[middle] < number:
            low = middle + 1
        else:
            high = middle
    return bool(low < sorted_numbers.shape[0] and sorted_numbers[low] == number)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _phrased(words: Any, pairs: Any, triples: Any, size: int, pair: Any, triple: Any) -> None:
    """Tell which tokens end a known phrase of two words, and which one of three."""
    for i in range(1, words.shape[0]):
        b, c = words[i - 1], words[i]
        if b < 0 or c < 0:
            continue
        pair[i] = _among(pairs, b * size + c)
        if i > 1 and words[i - 2] >= 0:
            triple[i] = _among(triples, (words[i - 2] * size + b) * size + c)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _state(i: int, n: int, label: int, weights: Any, pair: Any, triple: Any, phrased: Any) -> float:
    """Add up the weights of token ``i`` in pyvi's order; ``weights`` (n, 7, 2) by place."""
    state: float = weights[i, 0, label]
    if i > 0:
        for part in range(1, 4):
            state += weights[i - 1, part, label]
        state += pair[i] * phrased[0, label]
        state += triple[i] * phrased[1, label]
    if i < n - 1:
        for part in range(4, 7):
            state += weights[i + 1, part, label]
        state += pair[i + 1] * phrased[2, label]
        if i < n - 2:
            state += triple[i + 2] * phrased[3, label]
    return state


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _continues(
    weights: Any, pair: Any, triple: Any, phrased: Any, transitions: Any, joined: Any
) -> None:
    """Find the likeliest labels (Viterbi) and tell where they say that a word goes on.

    ``weights`` (n, 7, 2): each token's own; as the token before: lower, title, upper; as the one
    after: the same. ``phrased`` (4, 2): of a pair that ends here, a triple that ends here, a pair
    that begins, a triple that begins. A tie goes to the first label, as in CRFsuite.
    """
    n = weights.shape[0]
    back = np.zeros((n, 2), np.uint8)
    first, second = 0.0, 0.0
    for i in range(n):
        one = _state(i, n, 0, weights, pair, triple, phrased)
        two = _state(i, n, 1, weights, pair, triple, phrased)
        if i > 0:
            back[i, 0] = first + transitions[0, 0] < second + transitions[1, 0]
            back[i, 1] = first + transitions[0, 1] < second + transitions[1, 1]
            one += max(first + transitions[0, 0], second + transitions[1, 0])
            two += max(first + transitions[0, 1], second + transitions[1, 1])
        first, second = one, two
    label = np.uint8(first < second)
    for i in range(n - 1, 0, -1):
        joined[i] = label == 1
        label = back[i, label]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _part(flags: Any, joined: Any) -> None:
    """Take back what pyvi does not join, whatever the labels: numbers, punctuation, some titles."""
    for i in range(1, flags.shape[0]):
        here, before = flags[i], flags[i - 1]
        if (here | before) & _APART or (here & _TITLE and not before & _TITLE):
            joined[i] = False


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _joined_all(
    rows: Any,
    ends: Any,
    weights: Any,
    words: Any,
    flags: Any,
    pairs: Any,
    triples: Any,
    size: int,
    phrased: Any,
    transitions: Any,
    joined: Any,
) -> None:
    """Tell for each token of each text whether it goes on the word before it."""
    start = 0
    for text in range(ends.shape[0]):
        mine, out = rows[start : ends[text]], joined[start : ends[text]]
        pair, triple = np.zeros(len(mine), np.bool_), np.zeros(len(mine), np.bool_)
        _phrased(words[mine], pairs, triples, size, pair, triple)
        _continues(weights[mine], pair, triple, phrased, transitions, out)
        _part(flags[mine], out)
        start = ends[text]


class Segmenter:
    """Tells words from tokens by number. A token's number is good for this segmenter only.

    Safe from several threads: a row, once there, is never changed.
    """

    def __init__(self, model: Model, phrases: Phrases) -> None:
        self._model, self._phrases = model, phrases
        self._known = np.array(
            [
                self._weights("-1:word.bi_gram()"),
                self._weights("-2:word.tri_gram()"),
                self._weights("+1:word.bi_gram()"),
                self._weights("+2:word.tri_gram()"),
            ]
        )
        self._rows: dict[str, int] = {}
        self._tables = _tables(1 << 12)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def fresh(self) -> Segmenter:
        """Return the same segmenter without the tokens it has seen."""
        return Segmenter(self._model, self._phrases)

    def row(self, token: str) -> int:
        """Return the number of ``token``, reading its weights if it is new."""
        found = self._rows.get(token)
        return self._add(token) if found is None else found

    def joined(self, rows: Sequence[int]) -> list[bool]:
        """Return for each token of a text whether it goes on the word of the token before it.

        A line break is in no word: pyvi may join it, but its output is then divided there anyway.
        """
        numbers = np.array(rows, np.int64)
        answer: list[bool] = self.joined_all(numbers, np.array([len(rows)])).tolist()
        return answer

    def joined_all(self, rows: npt.NDArray[np.integer], ends: Numbers) -> npt.NDArray[np.bool_]:
        """Return :meth:`joined` of the tokens of many texts, which stop at ``ends``."""
        joined = np.zeros(len(rows), np.bool_)
        weights, words, flags = self._tables  # read after the rows were made: all are in it
        pairs, triples, size = self._phrases.pairs, self._phrases.triples, len(self._phrases.words)
        _joined_all(
            rows, ends, weights, words, flags, pairs, triples, size,
            self._known, self._model.transitions, joined,
        )  # fmt: skip
        return joined

    def _add(self, token: str) -> int:
        with self._lock:
            row = self._rows.get(token, len(self._rows))
            if row == len(self._rows):
                if row == len(self._tables.words):
                    self._tables = self._tables.grown()
                self._fill(row, token)
                self._rows[token] = row
            return row

    def _fill(self, row: int, token: str) -> None:
        lower = token.lower()
        facts = {
            "word.isupper()": token.isupper(),
            "word.istitle()": token.istitle(),
            "word.isdigit()": token.isdigit(),
        }
        own = self._weights("bias") + self._weights(f"word.lower():{lower}")
        for name, holds in facts.items():
            own = own + self._weights(name) * holds
        weights, words, flags = self._tables
        weights[row, 0] = own
        for first, side in ((1, "-1:"), (4, "+1:")):
            weights[row, first] = self._weights(f"{side}word.lower():{lower}")
            for part, name in enumerate(("word.istitle()", "word.isupper()"), first + 1):
                weights[row, part] = self._weights(side + name) * facts[name]
        words[row] = self._phrases.words.get(lower, -1)
        apart = token in string.punctuation or token[0].isdigit() or token == "\n"
        flags[row] = apart * _APART + token[0].istitle() * _TITLE

    def _weights(self, attribute: str) -> Weights:
        # CRFsuite takes names as C strings, which end at the first zero
        return self._model.attributes.get(attribute.partition("\0")[0], _NOTHING)


class _Tables(NamedTuple):
    """Facts of tokens by row: see :func:`_continues`."""

    weights: Weights  # (V, 7, 2)
    words: Numbers  # (V,) the token's number in the phrases, -1 if it is in none
    flags: npt.NDArray[np.uint8]  # (V,)

    def grown(self) -> _Tables:
        """Return twice the room with the same rows."""
        wide = _tables(2 * len(self.words))
        size = len(self.words)
        wide.weights[:size], wide.words[:size], wide.flags[:size] = self
        return wide


def _tables(size: int) -> _Tables:
    return _Tables(np.zeros((size, 7, 2)), np.full(size, -1, np.int64), np.zeros(size, np.uint8))


def installed() -> Path:
    """Return the folder of the installed pyvi, without importing it."""
    spec = find_spec("pyvi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'pyvi'", name="pyvi")
    return Path(next(iter(spec.submodule_search_locations)))


@cache
def open_segmenter() -> Segmenter | None:
    """Return pyvi's segmenter; ``None``, said in the log, if other files than those compared."""
    folder = installed()
    for name, digest in COMPARED.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            _LOG.warning(
                "%s of pyvi is not the file that this program was compared with (pyvi 0.1.1): "
                "words are segmented by pyvi itself, many times as slowly", name,
            )  # fmt: skip
            return None
    model = parse(model_bytes((folder / "models" / "pyvi3.pkl").read_bytes()))
    lines = (folder / "models" / "words.txt").read_bytes().decode("utf-8").split("\n")
    return Segmenter(model, Phrases.of(lines))


@cache
def pyvi() -> Callable[[str], str]:
    """Import pyvi itself (two seconds): words divided by spaces, their syllables by ``_``."""
    with warnings.catch_warnings():
        # pyvi's regular expressions are not raw strings and its model file names an older
        # scikit-learn class; both work and neither is ours to change.
        warnings.simplefilter("ignore")
        from pyvi import ViTokenizer  # noqa: PLC0415 - two seconds, seldom needed
    return ViTokenizer.tokenize  # type: ignore[no-any-return]
