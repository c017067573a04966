r"""RTF → blocks: paragraphs, tables and pages, from the control words that carry them.

``\'xx`` is a byte of the file's code page, ``\uN`` a character; groups that hold no text (fonts,
pictures, fields' instructions) are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from corpus.blocks import PARAGRAPH, Block, Document, Grid, Line, squared

_TOKEN: Final = re.compile(rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\([^a-zA-Z])"
                           rb"|([{}])|[\r\n]+|([^\\{}\r\n]+)")  # fmt: skip
_UNREAD: Final = frozenset(
    {
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "themedata",
        "datastore",
        "generator",
        "listtable",
        "fldinst",
        "listoverridetable",
        "rsidtbl",
        "header",
        "footer",
        "headerl",
        "headerr",
        "footerl",
        "footerr",
        "nonshppict",
        "xmlnstbl",
        "filetbl",
        "latentstyles",
        "revtbl",
        "bkmkstart",
        "bkmkend",
    }
)
_SIGNS: Final = {
    "tab": "\t", "line": "\n", "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘",
    "rquote": "’", "ldblquote": "“", "rdblquote": "”", "emspace": " ", "enspace": " ",
}  # fmt: skip
_ESCAPED: Final = {b"~": " ", b"_": "-", b"{": "{", b"}": "}", b"\\": "\\"}


def read_rtf(data: bytes) -> Document:
    """Return the blocks of an RTF file; a broken one gives what can be read of it."""
    reader = _Reader()
    for word, number, text in _tokens(data):
        reader.take(word, number, text)
    reader.end_paragraph()
    reader.end_table()
    return Document(tuple(reader.blocks), PARAGRAPH)


def _tokens(data: bytes) -> Iterator[tuple[str, int | None, bytes]]:
    """Yield control words with their number, and text (word ``""``); groups are ``{`` and ``}``."""
    for match in _TOKEN.finditer(data):
        code, word, number, sign, brace, text = match.groups()
        if code is not None:
            yield "byte", int(code, 16), b""
        elif word is not None:
            yield word.decode("ascii"), int(number) if number else None, b""
        elif brace is not None:
            yield brace.decode("ascii"), None, b""
        elif sign is not None:
            yield "sign", None, sign
        elif text is not None:
            yield "", None, text


class _Reader:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._text: list[str] = []
        self._bytes = bytearray()
        self._page, self._paged, self._paragraphs = 1, False, 0
        self._encoding = "cp1252"
        self._unread: list[bool] = [False]
        self._skips: list[int] = [1]  # characters that stand for a \u where it cannot be read
        self._skip, self._opened, self._in_table = 0, False, False

    def take(self, word: str, number: int | None, text: bytes) -> None:
        """Read one token."""
        opened, self._opened = self._opened, False
        if word == "{":
            self._unread.append(self._unread[-1])
            self._skips.append(self._skips[-1])
            self._opened = True
        elif word == "}":
            if len(self._unread) > 1:
                self._unread.pop()
                self._skips.pop()
        elif (word == "sign" and text == b"*" and opened) or (opened and word in _UNREAD):
            self._unread[-1] = True
        elif not self._unread[-1]:
            self._read(word, number, text)

    def _read(self, word: str, number: int | None, text: bytes) -> None:
        if word in {"", "byte"}:
            data = text if word == "" else bytes([number or 0])
            used = min(self._skip, len(data))
            self._skip -= used
            self._bytes += data[used:]
            return
        self._flush()
        if word == "u" and number is not None:
            code = number % 65536
            self._text.append(chr(code))
            self._skip = self._skips[-1]
        elif word == "uc":
            self._skips[-1] = max(0, min(number or 0, 16))
        elif word == "ansicpg" and number in {1250, 1251, 1252, 1258, 874, 932, 936, 65001}:
            self._encoding = "utf-8" if number == 65001 else f"cp{number}"
        elif word == "sign":
            self._text.append(_ESCAPED.get(text, ""))
        else:
            self._text.append(_SIGNS.get(word, ""))
            self._structure(word)

    def _structure(self, word: str) -> None:
        if word in {"par", "sect"}:
            self.end_paragraph()
        elif word in {"page", "sbkpage", "softpage"}:
            self._page, self._paged = self._page + (word != "sbkpage"), True
        elif word == "pard":
            self._in_table = False
        elif word == "intbl":
            self._in_table = True
        elif word == "cell":
            self._row.append(self._said())
        elif word == "row":
            self._rows.append(self._row)
            self._row = []

    def _flush(self) -> None:
        if self._bytes:
            self._text.append(bytes(self._bytes).decode(self._encoding, "replace"))
            self._bytes.clear()

    def _said(self) -> str:
        self._flush()
        said, self._text = "".join(self._text), []
        return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()

    def end_paragraph(self) -> None:
        """Keep the paragraph; inside a table it is a line of the cell."""
        if self._in_table or self._row:
            self._flush()
            self._text.append("\n")
            return
        said = self._said()
        self.end_table()
        self._paragraphs += 1
        if said:
            self.blocks.append(Line(said, self._page if self._paged else None, self._paragraphs))

    def end_table(self) -> None:
        """Keep the rows read so far as a table."""
        if self._row:
            self._rows.append(self._row)
        if rows := squared(self._rows):
            self.blocks.append(Grid(rows, self._page if self._paged else None))
        self._rows, self._row = [], []
