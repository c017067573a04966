"""The bytes of a text file as text, and back: UTF-8, UTF-16, Windows-1252, two of them in one file.

The fonts from before Unicode (:mod:`corpus.legacy`) show themselves as Windows-1252, and files are
put together from old and new ones. So each line is read for itself: in Windows-1252 where more of
its words are no UTF-8 than are; with only some such words, these alone. One such word in a line of
good ones is a broken byte, kept as a surrogate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

UTF8: Final = "utf-8"
WINDOWS: Final = "windows-1252"
_MIXED: Final = f"{UTF8}+{WINDOWS}:"  # then ``start-end,…``: the characters that are Windows-1252
_PARTS: Final = re.compile(rb"\s+|\S+")


class _Part(NamedTuple):
    data: bytes
    old: bool

    @property
    def text(self) -> str:
        if self.old:
            return "".join(map(_LETTERS.__getitem__, self.data))
        return self.data.decode(UTF8, "surrogateescape")


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding, so that ``encode`` gives it back.

    UTF-16 needs its mark; a mark of UTF-8 stays in the text. A file of two encodings is called
    ``utf-8+windows-1252:12-40,57-80``, by the characters that are Windows-1252.
    """
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data.decode(name, "surrogatepass") if len(data) % 2 == 0 else "", name
    try:
        return data.decode(UTF8), UTF8
    except UnicodeDecodeError:
        parts = [each for line in data.split(b"\n") for each in _parts(line)][:-1]
    ends = [0, *accumulate(len(part.text) for part in parts)]
    text = "".join(part.text for part in parts)
    if all(part.old or part.data.isascii() for part in parts):
        return text, WINDOWS
    old = [
        f"{start}-{end}"
        for part, start, end in zip(parts, ends, ends[1:], strict=False)
        if part.old
    ]
    return text, _MIXED + ",".join(old) if old else UTF8


def encode(text: str, name: str) -> bytes:
    """Return the bytes that :func:`decode` read."""
    if name == WINDOWS:
        return bytes(map(_BYTES.__getitem__, text))
    if not name.startswith(_MIXED):
        return text.encode(name, "surrogateescape" if name == UTF8 else "surrogatepass")
    made, at = bytearray(), 0
    for span in name.removeprefix(_MIXED).split(","):
        start, end = map(int, span.split("-"))
        made += text[at:start].encode(UTF8, "surrogateescape")
        made += encode(text[start:end], WINDOWS)
        at = end
    return bytes(made + text[at:].encode(UTF8, "surrogateescape"))


def _parts(line: bytes) -> Iterator[_Part]:
    """Yield the parts of one line and its end, each of one encoding; no byte is lost."""
    words = [part for part in _PARTS.findall(line) if not part.isascii()]
    odd = sum(not _is_utf8(word) for word in words)
    if 2 * odd > len(words):
        yield _Part(line, old=True)
    elif odd < 2:
        yield _Part(line, old=False)
    else:
        for part in _PARTS.findall(line):
            yield _Part(part, old=not _is_utf8(part))
    yield _Part(b"\n", old=False)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def _windows() -> Iterator[str]:
    for byte in range(256):
        try:
            yield bytes([byte]).decode("cp1252")
        except UnicodeDecodeError:  # five bytes have no letter
            yield chr(byte)


_LETTERS: Final = tuple(_windows())
_BYTES: Final = {letter: byte for byte, letter in enumerate(_LETTERS)}
