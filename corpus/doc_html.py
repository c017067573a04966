"""Web pages → blocks: paragraphs, and tables with their merged cells filled."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

from corpus.blocks import PARAGRAPH, Block, Document, Grid, Line, squared, unmerged

_BREAKS: Final = frozenset(
    {
        "p",
        "div",
        "li",
        "br",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "tr",
        "table",
        "ul",
        "ol",
        "section",
        "article",
        "header",
        "footer",
        "blockquote",
        "pre",
        "dt",
        "dd",
        "caption",
        "title",
        "hr",
        "form",
        "option",
    }
)
_UNREAD: Final = frozenset({"script", "style", "template", "noscript", "svg", "head"})


def read_html(text: str) -> Document:
    """Return the blocks of a page; broken markup gives what can be read of it."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.flush()
    while reader.tables:
        reader.end_table()
    return Document(tuple(reader.blocks), PARAGRAPH)


class _Table:
    """A table being read."""

    def __init__(self) -> None:
        self.rows: list[list[tuple[str, int, int]]] = []
        self.cell: list[str] | None = None
        self.span = (1, 1)

    def end_cell(self) -> None:
        if self.cell is not None:
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append(("".join(self.cell), *self.span))
        self.cell = None


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.tables: list[_Table] = []
        self._text: list[str] = []
        self._unread: list[str] = []
        self._lines = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread.append(tag)
        if tag == "body":
            self._unread.clear()
        if tag in _BREAKS:
            self.flush()
        if tag == "table":
            self.tables.append(_Table())
        elif self.tables and tag == "tr":
            self.tables[-1].end_cell()
            self.tables[-1].rows.append([])
        elif self.tables and tag in {"td", "th"}:
            table, given = self.tables[-1], dict(attrs)
            table.end_cell()
            table.cell = []
            table.span = (_span(given.get("colspan")), _span(given.get("rowspan")))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            del self._unread[self._unread.index(tag) :]
        if tag in _BREAKS:
            self.flush()
        if self.tables and tag in {"td", "th", "tr"}:
            self.tables[-1].end_cell()
        if self.tables and tag == "table":
            self.end_table()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._text.append(data)
            if self.tables and self.tables[-1].cell is not None:
                self.tables[-1].cell.append(data)

    def flush(self) -> None:
        """End the paragraph; inside a cell it is only a space."""
        text = " ".join("".join(self._text).split())
        self._text = []
        inside = self.tables and self.tables[-1].cell is not None
        if inside and self.tables[-1].cell:
            self.tables[-1].cell.append(" ")
        elif text and not inside:
            self._lines += 1
            self.blocks.append(Line(text, None, self._lines))

    def end_table(self) -> None:
        """Keep the table; what one inside a cell says belongs to that cell as well."""
        table = self.tables.pop()
        table.end_cell()
        rows = squared(unmerged(table.rows))
        if rows:
            self.blocks.append(Grid(rows))
        self._text = []


def _span(value: str | None) -> int:
    return min(int(value), 200) if value and value.isdecimal() and int(value) else 1
