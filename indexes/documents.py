"""What the index knows of a record: an id, named fields of text, passages to encode, labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

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


Digests = npt.NDArray[np.uint8]
_BYTES = 16  # of a digest: two documents of a collection share one with a chance below 1e-20


def digests(documents: Iterable[Document]) -> Digests:
    """Return (n, 16) the first bytes of each document's SHA-256, over all that may be indexed."""
    write = json.JSONEncoder(ensure_ascii=False).encode
    names = [each.name for each in fields(Document)]
    found = (
        hashlib.sha256(write([getattr(each, name) for name in names]).encode()).digest()[:_BYTES]
        for each in documents
    )
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, _BYTES)


def corpus_digest(audiences: Mapping[str, Digests]) -> str:
    """SHA-256 (hex) of the documents of all audiences, each as its digests in the order of ids."""
    digest = hashlib.sha256()
    for name, each in sorted(audiences.items()):
        digest.update(f"{name} {len(each)}\n".encode() + each.tobytes())
    return digest.hexdigest()
