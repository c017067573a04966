"""Technologies as the index wants them: fields of text, passages to encode, labels to compare."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from corpus.lexicon import Lexicon
from corpus.records import Technology
from corpus.text import has_accents
from indexes.analyser import spans
from indexes.documents import Document
from indexes.snapshot import ALL, PUBLIC

_LOG = logging.getLogger(__name__)
PRODUCT, STAGE, PROCESS = "sản phẩm:", "khâu:", "quá trình:"
PEST = "đối tượng trừ:"  # what a record that protects something fights
# Kinds of stages, all of which begin alike: every record's, stated ones, and others of its text.
STAGES = STAGE[:-1]
STATED, ALSO = f"{STAGES} rõ:", f"{STAGES} phụ:"
MANY = 20_000  # records from which on more than one process pays
_CHUNK = 250  # records handed to a process at a time
OTHER_SENSE = "nghĩa khác:"  # a product's word that the record uses for something else


def document(technology: Technology, lexicon: Lexicon) -> Document:
    """Return the searchable side of ``technology``."""
    text = "\n".join(filter(None, (technology.summary, technology.detail, technology.effect)))
    passages = (technology.name, technology.summary, technology.detail)
    return Document(
        id=technology.id,
        title=technology.name,
        text=text,
        keywords="\n".join(technology.keywords),
        products="\n".join((*technology.products, *_canonical(technology, lexicon))),
        passages=tuple(filter(None, passages)),
        labels=tuple(labels(technology, lexicon)),
    )


def _canonical(technology: Technology, lexicon: Lexicon) -> Iterable[str]:
    """Yield the tree's names of what the record calls by another word: dứa for khóm, mango.

    So one name finds the records of all regions, and a word with two meanings (thơm: pineapple, or
    fragrant) is read where its neighbours tell which, in the record, not guessed in the query.
    """
    told = "\n".join((technology.name, technology.summary or "", *technology.products))
    names = dict.fromkeys(lexicon.regional_products(told))
    if not has_accents(told):  # an English record is found by Vietnamese words
        names |= dict.fromkeys(each.name for each in lexicon.products(told))
        names |= dict.fromkeys(each.name for each in lexicon.processes(told))
    if names:
        said = {span.text for span in spans(told)}
        yield from (name for name in names if not said.issuperset(name.split()))


def labels(technology: Technology, lexicon: Lexicon) -> Iterable[str]:
    """Yield what the record is about: products as stated, else as its title names them."""
    stated = [each for name in technology.products for each in lexicon.products(name)]
    for name in dict.fromkeys(each.name for each in stated or lexicon.products(technology.name)):
        yield PRODUCT + name
    text = f"{technology.name}\n{technology.summary or ''}"
    for stage in technology.stages:
        yield STAGE + stage
        yield STATED + stage
    if not technology.stages:
        for kind, stage in zip((STAGE, ALSO, ALSO), lexicon.stages(text), strict=False):
            yield kind + stage
    for process in dict.fromkeys(each.name for each in lexicon.processes(text)):
        yield PROCESS + process
    told = "\n".join((text, technology.detail or "", *technology.products, *technology.keywords))
    for word in sorted(lexicon.other_senses(told)):
        yield OTHER_SENSE + word
    for pest in sorted(lexicon.pests.told(technology.name, told)):
        yield PEST + pest


def documents(
    technologies: Iterable[Technology], lexicon: Lexicon, processes: int | None = None
) -> dict[str, list[Document]]:
    """Return documents by audience, ordered by id; ``all`` only where something is under NDA.

    Args:
        technologies: the records, in any order.
        lexicon: the tables that name what a record is about.
        processes: how many work at it; ``None``: one for each core where there are
            :data:`MANY` records and more, since starting them takes a second. The documents are
            the same, whatever the number.
    """
    ordered = sorted(technologies, key=lambda each: each.id)
    restricted = [row for row, each in enumerate(ordered) if each.restricted]
    wanted = [each.public() for each in ordered] + [ordered[row] for row in restricted]
    made = _all(wanted, lexicon, _cores(len(wanted)) if processes is None else processes)
    public, hidden = made[: len(ordered)], made[len(ordered) :]
    if not restricted:
        return {PUBLIC: public}
    everything = list(public)
    for row, document in zip(restricted, hidden, strict=True):
        everything[row] = document
    return {PUBLIC: public, ALL: everything}


def _cores(records: int) -> int:
    inside = multiprocessing.parent_process() is not None  # a process of ours, or a daemon's
    return 1 if inside or records < MANY else len(os.sched_getaffinity(0))


def _all(technologies: list[Technology], lexicon: Lexicon, processes: int) -> list[Document]:
    if processes > 1:
        try:
            return _in_processes(technologies, lexicon, processes)
        except BrokenProcessPool:  # a script without `if __name__ == "__main__"`, a full machine
            _LOG.warning("processes could not be started: one does all the work")
    return [document(each, lexicon) for each in technologies]


def _in_processes(
    technologies: list[Technology], lexicon: Lexicon, processes: int
) -> list[Document]:
    chunks = [technologies[at : at + _CHUNK] for at in range(0, len(technologies), _CHUNK)]
    # spawned: a fork would copy threads' locks (encoder, server) in whatever state they are
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        # by a file: a process that dies at once would leave us writing to it for ever
        path = Path(scratch) / "lexicon"
        path.write_bytes(pickle.dumps(lexicon))
        with ProcessPoolExecutor(processes, context, _begin, (str(path),)) as pool:
            return [each for chunk in pool.map(_chunk, chunks) for each in chunk]


_lexicon: list[Lexicon] = []  # of a working process


def _begin(path: str) -> None:
    _lexicon[:] = [pickle.loads(Path(path).read_bytes())]


def _chunk(technologies: list[Technology]) -> list[Document]:
    return [document(each, _lexicon[0]) for each in technologies]
