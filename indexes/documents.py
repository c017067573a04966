"""What the index knows of a record: an id, named fields of text, passages to encode, labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass

FIELDS = ("title", "text", "keywords", "products")


@dataclass(frozen=True)
class Document:
    """One record as text. All text is normalised; fields that are missing count as empty.

    ``passages`` are encoded apart and averaged: title, summary and detail of a technology.
    ``labels`` are kept beside the text and not searched: what the matcher compares, such as the
    products a record is about.
    """

    id: str
    title: str = ""
    text: str = ""
    keywords: str = ""
    products: str = ""
    passages: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def corpus_digest(documents: Iterable[Document]) -> str:
    """SHA-256 (hex) of everything that the index may use, documents in the order given."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(json.dumps(astuple(document), ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()
