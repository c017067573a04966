"""The files in which a match list leaves: which there are, what they are called, who makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from fastapi.responses import Response

from corpus.text import fold
from service.handover import Handover
from service.handover_annex import BLANK, Annex
from service.handover_docx import annex, contacts
from service.handover_files import delimited, document, workbook

TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
FILES: Final[Mapping[str, Callable[[Handover, Annex], bytes]]] = {
    "danh-sach.xlsx": workbook,
    "danh-sach.csv": lambda paper, _: delimited(paper),
    "danh-sach.json": lambda paper, _: document(paper),
    "phu-luc.docx": annex,
    "lien-he.docx": lambda paper, _: contacts(paper),
}


def list_file(paper: Handover, name: str, form: Annex = BLANK) -> Response:
    """Answer with one of :data:`FILES` of a list; ``form``: what only its document knows."""
    words = "".join(c if c.isalnum() else " " for c in fold(paper.list.name)).split()
    full = f"{paper.list.id}-{'-'.join(words)[:60]}-{name}"
    plain = f'attachment; filename="{paper.list.id}-{name}"'
    headers = {
        "Content-Disposition": f"{plain}; filename*=UTF-8''{quote(full)}",
        "Cache-Control": "no-store",
    }
    content = FILES[name](paper, form)
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers=headers)
