"""Needs without supply, gathered into themes and drafted as topics to commission.

A draft says what the needs say and what is missing, and nothing more: what no need states is "chưa
rõ", for people to fill in. What somebody can pay for a technology is not what a research task
costs, so it stands beside the draft and never becomes its budget. Needs whose supply is there but
breaks a hard rule (too dear, expired) are no topics: money or a new agreement answers them.

Themes are found within one stage, by average linkage over TF-IDF (scikit-learn): what is cut off
depends on the needs only, and ties break by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import shorten

import numpy as np
import numpy.typing as npt
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import STAGES, Need
from indexes.analyser import JOINT, spans
from matcher.coverage import commune, place
from matcher.explain import UNKNOWN
from matcher.fit import money
from matcher.yearly import Answered, Run

APART = 0.9  # distance (1 - cosine) up to which needs are of one theme
OTHER_PRODUCT = 0.12  # … to which this is added where their products differ
LARGEST = 4_000  # needs of a stage that are compared with each other at once
QUOTED = 3  # needs whose words a draft repeats
PHRASES, WIDTH = 2, 80  # phrases, or characters, that name a theme whose topic nobody states
ORDERED = 5  # nearest supply named


@dataclass(frozen=True)
class Topic:
    """A draft of one line of a list of topics to commission (danh mục đặt hàng)."""

    number: int
    name: str
    goal: str
    product: str
    way: str
    time: str
    money: str
    payable: str  # what those who need it state they can pay, beside the draft
    stage: str
    products: tuple[str, ...]
    places: tuple[str, ...]
    needs: tuple[str, ...]
    nearest: tuple[tuple[str, str], ...]  # technology and what it lacks
    illustrative: bool


@dataclass(frozen=True)
class Blocked:
    """A need whose supply breaks a hard rule, and the rules."""

    need: Need
    technology: str
    reasons: tuple[str, ...]


def topics(run: Run, places: Places, lexicon: Lexicon) -> tuple[Topic, ...]:
    """Draft topics from the needs of ``run`` that nothing answers, those of most needs first."""
    gaps = [each for each in run.needs.values() if each.gap and not each.blocked]
    found = [theme for each in _by_stage(gaps) for theme in _themes(run, each, lexicon)]
    found.sort(key=lambda theme: (-len(theme), theme[0].need.priority or 9, theme[0].need.id))
    drafts = enumerate(found, start=1)
    return tuple(_topic(run, number, theme, places, lexicon) for number, theme in drafts)


def blocked(run: Run) -> tuple[Blocked, ...]:
    """Return the needs without an answer whose supply breaks a rule, with the best of it."""
    found = []
    for key, each in run.needs.items():
        pairs = [pair for pair in run.pairs[key] if pair.apart]
        if each.gap and each.blocked and pairs:
            reasons = tuple(breach.reason for breach in pairs[0].breaches)
            found.append(Blocked(each.need, pairs[0].technology, reasons))
    return tuple(found)


def _by_stage(gaps: Iterable[Answered]) -> Iterable[list[Answered]]:
    found: dict[str, list[Answered]] = {}
    for each in gaps:
        found.setdefault(each.need.stage or "", []).append(each)
    for _, mine in sorted(found.items()):
        mine.sort(key=lambda each: each.need.id)
        for start in range(0, len(mine), LARGEST):
            yield mine[start : start + LARGEST]


def _themes(run: Run, gaps: Sequence[Answered], lexicon: Lexicon) -> list[list[Answered]]:
    if len(gaps) < 2:
        return [list(gaps)]
    texts = [
        " ".join(_words(f"{each.need.text}\n{each.need.topic or ''}", lexicon)) for each in gaps
    ]
    matrix = TfidfVectorizer(analyzer=str.split, sublinear_tf=True).fit_transform(texts)
    distances = np.maximum(1.0 - (matrix @ matrix.T).toarray(), 0.0)
    distances = (distances + OTHER_PRODUCT * _unlike(run, gaps, lexicon)).round(9)
    joined = AgglomerativeClustering(
        n_clusters=None, distance_threshold=APART, metric="precomputed", linkage="average"
    ).fit_predict(distances)
    found: dict[int, list[Answered]] = {}
    for each, number in zip(gaps, joined.tolist(), strict=True):
        found.setdefault(number, []).append(each)
    return list(found.values())


def _unlike(run: Run, gaps: Sequence[Answered], lexicon: Lexicon) -> npt.NDArray[np.bool_]:
    """Which needs are of different products of the tree, shape (n, n)."""
    names = []
    for each in gaps:
        product = run.products.get(each.need.product)
        known = sorted(term.name for term in lexicon.products(product.name)) if product else []
        names.append(known[0] if known else each.need.product)
    named = np.array(names)
    unlike: npt.NDArray[np.bool_] = named[:, None] != named[None, :]
    return unlike


def _words(text: str, lexicon: Lexicon) -> list[str]:
    """Syllables and pairs of neighbours, without filler."""
    said = [span.text for span in spans(text)]
    content = [each for each in said if not lexicon.is_stopword(each)]
    pairs = [f"{a}{JOINT}{b}" for a, b in pairwise(said)]
    return content + [each for each in pairs if not _filler(each, lexicon)]


def _filler(pair: str, lexicon: Lexicon) -> bool:
    return any(lexicon.is_stopword(each) for each in pair.split(JOINT))


def _topic(
    run: Run, number: int, theme: Sequence[Answered], places: Places, lexicon: Lexicon
) -> Topic:
    needs = [each.need for each in theme]
    products = tuple(dict.fromkeys(_product(run, each) for each in needs))
    stage = needs[0].stage or UNKNOWN
    subject = _subject(needs, lexicon)
    nearest = _nearest(run, theme)
    work = f"công nghệ khâu {stage}" if stage in STAGES else "công nghệ"
    return Topic(
        number,
        f"Nghiên cứu, ứng dụng {work} cho {', '.join(products)}: {subject}",
        _goal(needs, nearest),
        _result(needs, products, subject),
        UNKNOWN,
        UNKNOWN,
        UNKNOWN,
        _payable(needs),
        stage,
        products,
        tuple(dict.fromkeys(_where(each, places) for each in needs)),
        tuple(each.id for each in needs),
        nearest,
        any(each.illustrative for each in needs),
    )


def _product(run: Run, need: Need) -> str:
    found = run.products.get(need.product)
    return found.name if found else need.product


def _where(need: Need, places: Places) -> str:
    return commune(need, places) if need.commune else place(need, places)


def _subject(needs: Sequence[Need], lexicon: Lexicon) -> str:
    """What a theme is about: the topic most of its needs state, else the words most of them say."""
    stated = Counter(each.topic for each in needs if each.topic)
    if stated:
        return min(stated, key=lambda topic: (-stated[topic], topic))
    said: Counter[str] = Counter()
    for each in needs:
        pairs = (word for word in _words(each.text, lexicon) if JOINT in word)
        said.update(dict.fromkeys(pairs, 1))
    if len(needs) == 1 or max(said.values(), default=0) < 2:
        return shorten(needs[0].text, WIDTH, placeholder=" …")
    most = [word for word in said if said[word] == max(said.values())]  # as they were first said
    return ", ".join(_phrases(most)[:PHRASES])


def _phrases(pairs: Iterable[str]) -> list[str]:
    """Put pairs of neighbours together again: sâu đầu, đầu đen → sâu đầu đen."""
    found: list[list[str]] = []
    for first, second in (pair.split(JOINT) for pair in pairs):
        if found and found[-1][-1] == first:
            found[-1].append(second)
        else:
            found.append([first, second])
    return [" ".join(each) for each in found]


def _goal(needs: Sequence[Need], nearest: Sequence[tuple[str, str]]) -> str:
    quoted = "; ".join(f"“{each.text}” ({each.id})" for each in needs[:QUOTED])
    more = len(needs) - QUOTED
    told = f"Giải quyết {len(needs)} nhu cầu chưa có công nghệ đáp ứng: {quoted}"
    told += f" và {more} nhu cầu khác." if more > 0 else "."
    lacking = [f"{key} ({lacks})" for key, lacks in nearest if lacks]
    return f"{told} Công nghệ gần nhất còn thiếu: {'; '.join(lacking)}." if lacking else told


def _result(needs: Sequence[Need], products: Sequence[str], subject: str) -> str:
    """The product asked for: only what the needs state of it."""
    use = f"dùng được cho {', '.join(products)}, giải quyết: {subject}"
    told = [f"Quy trình, thiết bị hoặc chế phẩm {use}"]
    levels = [each.trl_min for each in needs if each.trl_min]
    told.append(f"mức sẵn sàng tối thiểu: {f'TRL {max(levels)}' if levels else UNKNOWN}")
    scales = dict.fromkeys(each.scale for each in needs if each.scale)
    told.append(f"quy mô đã nêu: {', '.join(map(str, scales)) or UNKNOWN}")
    used = dict.fromkeys(each.current for each in needs if each.current)
    told.append(f"tốt hơn cách đang dùng: {', '.join(map(str, used)) or UNKNOWN}")
    return "; ".join(told) + "; chỉ tiêu kỹ thuật: chưa rõ"


def _payable(needs: Sequence[Need]) -> str:
    stated = [each.budget for each in needs if each.budget is not None]
    if not stated:
        return UNKNOWN
    low, high = money(min(stated)), money(max(stated))
    told = low if low == high else f"{low}–{high}"
    return f"{told} triệu đồng mỗi nơi ({len(stated)} nhu cầu nêu)"


def _nearest(run: Run, theme: Sequence[Answered]) -> tuple[tuple[str, str], ...]:
    """The first reference of each need, of which most is known why it does not do."""
    found: dict[str, str] = {}
    for each in theme:
        for pair in run.pairs[each.need.id][:1]:
            found.setdefault(pair.technology, pair.lacks)
    return tuple(list(found.items())[:ORDERED])
