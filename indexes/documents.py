"""What the index knows of a record: an id, named fields of text, and passages to encode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

FIELDS = ("title", "text", "keywords", "products")


@dataclass(frozen=True)
class Document:
    """One record as text. All text is normalised; fields that are missing count as empty.

    ``passages`` are encoded apart and averaged: title, summary and detail of a technology.
    """

    id: str
    title: str = ""
    text: str = ""
    keywords: str = ""
    products: str = ""
    passages: tuple[str, ...] = field(default=())

    def digest(self) -> str:
        """SHA-256 (hex) of everything that the index may use."""
        parts = [self.id, *(getattr(self, name) for name in FIELDS), *self.passages]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def corpus_digest(documents: Iterable[Document]) -> str:
    """SHA-256 (hex) of documents in the order given."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(document.digest().encode())
    return digest.hexdigest()
