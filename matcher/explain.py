"""Why a record stands where it stands, in Vietnamese: a label, a sentence, the words that matched.

People trust a label, a named place of use, a date; they distrust a percentage. So the sentence says
how the product and the process relate, what is known and what is not, and the numbers come last
and only when asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from corpus.lexicon import Lexicon
from corpus.records import Technology
from corpus.text import Span, fold, has_accents
from indexes.analyser import JOINT, spans
from matcher.fit import Breach, money
from matcher.hits import FEEDBACK, Hit
from matcher.model import Weights
from matcher.need import Query

SUITS, ADAPT, REFERENCE = "phù hợp", "cần điều chỉnh", "tham khảo"
UNKNOWN = "chưa rõ"
LACKING = 4  # words of the question that a miss is said to lack, at most
PARTS = {
    "words": "từ ngữ",
    "syllables": "âm tiết",
    "bigrams": "cụm từ",
    "unaccented": "chữ không dấu",
    "meaning": "ý nghĩa",
    "product": "sản phẩm",
    "stage": "khâu",
    "process": "quá trình",
    "place": "địa bàn",
    FEEDBACK: "từ của kết quả đầu",
}


class Passage(NamedTuple):
    """The field of a record that says most of a query, and where it does."""

    field: str = "summary"
    highlights: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What is told of one hit."""

    label: str
    sentence: str
    breaches: tuple[Breach, ...] = ()
    lacks: str = ""  # what the record does not say of what was asked
    find: Callable[[], Passage] = field(default=Passage, repr=False, compare=False)

    @cached_property
    def passage(self) -> Passage:
        """What to show of the record; found when it is shown: a yearly run shows nothing."""
        return self.find()


def label(
    relation: str, purpose: bool, usefulness: float, answerable: float, weights: Weights
) -> str:
    """Return one of the three labels.

    ``phù hợp`` needs the same product (or a record for its whole group), the same purpose and a
    good chance of use; ``cần điều chỉnh`` the same product or the same purpose and a fair chance.
    The rest is ``tham khảo``, and so is everything where the collection probably holds no answer.

    Args:
        relation: of the record's products to the query's.
        purpose: whether process or stage meet; true where the query names neither.
        usefulness: the probability that the record is of use.
        answerable: the probability that any record is.
        weights: the thresholds.
    """
    if answerable < weights.found:
        return REFERENCE
    own = relation in {"same", "broader", "unknown"}
    if own and purpose and usefulness >= weights.suits:
        return SUITS
    if not (own or purpose):
        return REFERENCE
    lower = {"same": weights.adapts_own, "broader": weights.adapts_own, "near": weights.adapts_near}
    asked = lower.get(relation, weights.adapts) if purpose else weights.adapts
    return ADAPT if usefulness >= asked else REFERENCE


def lacks(
    technology: Technology,
    query: Query,
    relation: str,
    stages: Iterable[str],
    processes: Iterable[str],
    lexicon: Lexicon,
) -> str:
    """Return what a record lacks of what was asked, in Vietnamese; empty: nothing that we see.

    Another product, another step of the work, and the words of the question that it never says.
    """
    asked_stages, asked_processes = sorted(query.stages), sorted(query.processes)
    missing = []
    if relation in {"near", "other"}:
        missing.append(f"dành cho sản phẩm {'gần' if relation == 'near' else 'khác'}")
    if asked_processes and query.processes.isdisjoint(processes):
        missing.append(f"không nói đến {', '.join(asked_processes[:3])}")
    elif asked_stages and query.stages.isdisjoint(stages):
        missing.append(f"không thuộc khâu {', '.join(asked_stages)}")
    unsaid = _unsaid(technology, query, lexicon)
    if unsaid:
        missing.append(f"không có các từ: {', '.join(unsaid)}")
    return "; ".join(missing)


def _unsaid(technology: Technology, query: Query, lexicon: Lexicon) -> list[str]:
    """The first words of the question, of two syllables and more, that the record never says."""
    query = _meant(query)
    told = (technology.name, technology.summary, technology.detail, *technology.keywords)
    text = "\n".join(filter(None, (*told, *technology.products)))
    said = text.lower() if has_accents(query.text) else fold(text)
    words = (word.replace(JOINT, " ") for word in query.terms["words"] if JOINT in word)
    unsaid = (
        word
        for word in words
        if not (lexicon.is_stopword(word) or any(_says(said, each) for each in word.split()))
    )
    return list(islice(unsaid, LACKING))


def _says(text: str, syllable: str) -> bool:
    """Whether ``syllable`` stands in ``text`` by itself."""
    at = text.find(syllable)
    while at >= 0:
        end = at + len(syllable)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(syllable, end)
    return False


def sentence(
    technology: Technology,
    products: Iterable[str],
    query: Query,
    relation: str,
    stages: Iterable[str],
    processes: Iterable[str],
    as_of: dt.date,
    against: str = "",
) -> str:
    """Return the reason; ``products`` as the record states them, those that matter first.

    ``against`` says that it fights something else than what is asked (:mod:`matcher.fought`).
    """
    clauses = [_product(products, relation), _stage(query, stages, processes), against]
    told = "; ".join(clause for clause in clauses if clause)
    facts = ". ".join(
        filter(None, (_used(technology), _accepted(technology), _age(technology, as_of)))
    )
    return f"{told[:1].upper()}{told[1:]}. {facts}." if told else f"{facts}."


def _product(products: Iterable[str], relation: str) -> str:
    named = ", ".join(islice(products, 3))
    told = f" ({named})" if named else ""
    return {
        "same": f"cùng sản phẩm{told}",
        "broader": f"dùng chung cho nhóm sản phẩm{told}",
        "near": f"sản phẩm gần{told}, cần kiểm tra lại thông số",
        "other": f"sản phẩm khác{told}",
    }.get(relation, "")


def _stage(query: Query, stages: Iterable[str], processes: Iterable[str]) -> str:
    meet = sorted(query.processes & set(processes))
    if meet:
        return f"cùng quá trình: {', '.join(meet[:3])}"
    both = sorted(query.stages & set(stages))
    return f"cùng khâu {', '.join(both)}" if both else ""


def _used(technology: Technology) -> str:
    if not technology.places_used:
        return f"Nơi đã áp dụng: {UNKNOWN}"
    more = len(technology.places_used) - 1
    return f"Đã áp dụng tại {technology.places_used[0]}" + (f" và {more} nơi khác" if more else "")


def _accepted(technology: Technology) -> str:
    if not technology.acceptance_no:
        return ""
    day = technology.acceptance_date
    return f"Nghiệm thu số {technology.acceptance_no}" + (f" ngày {day:%d/%m/%Y}" if day else "")


def _age(technology: Technology, as_of: dt.date) -> str:
    if technology.year is None:
        return f"Năm công bố: {UNKNOWN}"
    years = as_of.year - technology.year
    return f"Công bố năm {technology.year}" + (f" ({years} năm trước)" if years > 0 else "")


def facts(technology: Technology) -> dict[str, str]:
    """Return the facts that people compare, each "chưa rõ" where it is missing."""
    return {
        "Chi phí": _price(technology),
        "TRL": str(technology.trl) if technology.trl else UNKNOWN,
        "Đơn vị": technology.owner or UNKNOWN,
        "Tỉnh": technology.province or UNKNOWN,
        "Hiệu lực đến": f"{technology.valid_until:%d/%m/%Y}" if technology.valid_until else UNKNOWN,
    }


def _price(technology: Technology) -> str:
    low, high = technology.cost_from, technology.cost_to
    if low is None and high is None:
        return UNKNOWN
    if low is None or high is None:
        told = f"từ {money(low)}" if low is not None else f"đến {money(high or 0.0)}"
    else:
        told = money(low) if low == high else f"{money(low)}–{money(high)}"
    return f"{told} triệu đồng"


def highlights(text: str, query: Query, lexicon: Lexicon) -> tuple[Span, ...]:
    """Return the content words of ``query`` found in normalised ``text``, neighbours joined.

    A query typed without accents is the one it was restored to, where it was ranked so; one that
    was not matches words under any accents.
    """
    query = _meant(query)
    plain = not has_accents(query.text)
    wanted = {fold(term) for term in query.content} if plain else query.content
    found = [
        span
        for span in spans(text)
        if (fold(span.text) if plain else span.text) in wanted
        and not lexicon.is_stopword(span.text)
    ]
    return tuple(_joined(text, found))


def _meant(query: Query) -> Query:
    """The query as it was ranked: "bao quan" is "bảo quản", and "bào" is not what was asked."""
    return query.restored or query


def _joined(text: str, found: Iterable[Span]) -> Iterable[Span]:
    pending: Span | None = None
    for span in found:
        if pending and text[pending.end : span.start] == " ":
            pending = Span(text[pending.start : span.end], pending.start, span.end)
            continue
        if pending:
            yield pending
        pending = Span(text[span.start : span.end], span.start, span.end)
    if pending:
        yield pending


def passage(technology: Technology, query: Query, lexicon: Lexicon) -> Passage:
    """Return the field (``summary`` or ``detail``) that says most of the query, with highlights."""
    best: tuple[int, str, tuple[Span, ...]] = (-1, "summary", ())
    for name in ("summary", "detail"):
        text = getattr(technology, name)
        if text:
            marks = highlights(text, query, lexicon)
            distinct = len({fold(word) for mark in marks for word in mark.text.split()})
            best = max(best, (distinct, name, marks), key=lambda each: each[0])
    return Passage(best[1], best[2])


def shares(hit: Hit) -> dict[str, float]:
    """Return the parts under their Vietnamese names, in the order people should read them."""
    return {PARTS[name]: hit.parts[name] for name in PARTS if name in hit.parts}
