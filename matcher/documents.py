"""Technologies as the index wants them: fields of text, passages to encode, labels to compare."""

from __future__ import annotations

from collections.abc import Iterable

from corpus.lexicon import Lexicon
from corpus.records import Technology
from corpus.text import has_accents
from indexes.analyser import spans
from indexes.documents import Document
from indexes.snapshot import ALL, PUBLIC

PRODUCT, STAGE, PROCESS = "sản phẩm:", "khâu:", "quá trình:"
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
    said = {span.text for span in spans(told)}
    names = dict.fromkeys(lexicon.regional_products(told))
    if not has_accents(told):  # an English record is found by Vietnamese words
        names |= dict.fromkeys(each.name for each in lexicon.products(told))
        names |= dict.fromkeys(each.name for each in lexicon.processes(told))
    return (name for name in names if not said.issuperset(name.split()))


def labels(technology: Technology, lexicon: Lexicon) -> Iterable[str]:
    """Yield what the record is about: products as stated, else as its title names them."""
    stated = [each for name in technology.products for each in lexicon.products(name)]
    titled = lexicon.products(technology.name)
    for name in dict.fromkeys(each.name for each in stated or titled):
        yield PRODUCT + name
    text = f"{technology.name}\n{technology.summary or ''}"
    for stage in technology.stages or lexicon.stages(text)[:1]:
        yield STAGE + stage
    for process in dict.fromkeys(each.name for each in lexicon.processes(text)):
        yield PROCESS + process
    told = "\n".join((text, technology.detail or "", *technology.products, *technology.keywords))
    for word in sorted(lexicon.other_senses(told)):
        yield OTHER_SENSE + word


def documents(technologies: Iterable[Technology], lexicon: Lexicon) -> dict[str, list[Document]]:
    """Return documents by audience, ordered by id; ``all`` only where something is under NDA."""
    ordered = sorted(technologies, key=lambda each: each.id)
    audiences = {PUBLIC: [document(each.public(), lexicon) for each in ordered]}
    if any(each.restricted for each in ordered):
        audiences[ALL] = [document(each, lexicon) for each in ordered]
    return audiences
