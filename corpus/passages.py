"""Running text → candidates: products, needs and technologies that a passage speaks of.

By rules and the tables of words only, so that each can be told: products by the product tree, needs
by phrases such as *còn thiếu* and *có nhu cầu*, technologies by *quy trình …*, *giống …* that were
applied, transferred or studied. A candidate is a proposal to a person, never a record by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from corpus.lexicon import Lexicon, Mention
from corpus.reading import Running
from corpus.text import squeeze

LONGEST: Final = 600  # characters of a passage
_SHORTEST: Final = 25
_UPPER: Final = "".join(letter for letter in map(chr, range(0x41, 0x1EFA)) if letter.isupper())
_STARTERS: Final = (  # words that begin a sentence where the full stop before them was lost
    "Tuy nhiên|Do đó|Đồng thời|Bên cạnh đó|Ngoài ra|Việc|Các|Nhiều|Một số|Hiện nay|Qua|Tỷ lệ|"
    "Sản xuất|Công nghiệp|Đầu ra|Đặc biệt|Trong khi|Hoạt động|Chưa|Đa số"
)
_END: Final = re.compile(
    rf"(?<=[.!?…])\s+(?=[{_UPPER}\-–•*+“\"\d])|(?<=[;:])\s+(?=[{_UPPER}\-–•*+“\"])"
    rf"|\n+\s*|\f|\s{{2,}}(?=[{_UPPER}])"
    rf"|(?<=[^\W\d_{_UPPER}])\s(?=(?:{_STARTERS})\b)"
)
_ABBREVIATED: Final = re.compile(
    r"(?:\b(?:TS|ThS|PGS|GS|TP|Tp|KS|CN|BS|St|No|Số|tr|vv|v\.v)|\b\d{1,3})\.$"
)
_I: Final = re.IGNORECASE
_ROLES: Final = re.compile(
    r"sản phẩm (?:chủ lực|đặc thù|đặc trưng|đặc sản|thế mạnh|OCOP|tiềm năng|hàng hóa|nông nghiệp)"
    r"|đặc sản|cây (?:trồng|con)|vật nuôi|chủ lực|thế mạnh|lợi thế|vùng (?:trồng|nuôi|chuyên canh)"
    r"|mặt hàng|nhóm sản phẩm|thương hiệu|chỉ dẫn địa lý",
    _I,
)
# What people say when something is wanted, and how surely that is a need.
_WANTS: Final = (
    (
        re.compile(
            r"(?:có )?nhu cầu (?:về |được |hỗ trợ |cần |ứng dụng |chuyển giao |đổi mới )", _I
        ),
        0.75,
    ),
    (
        re.compile(
            r"(?:đề nghị|đề xuất|kiến nghị|mong muốn|mong)(?: được)? (?:hỗ trợ|chuyển giao)", _I
        ),
        0.75,
    ),
    (re.compile(r"chưa (?:có|làm chủ|áp dụng|ứng dụng|chủ động|đáp ứng|được đầu tư)", _I), 0.6),
    (re.compile(r"(?:còn |đang )?thiếu (?!tướng)", _I), 0.6),
    (
        re.compile(r"còn (?:hạn chế|yếu|lạc hậu|thấp|khó khăn|nhỏ lẻ|manh mún|nhiều hạn chế)", _I),
        0.5,
    ),
    (re.compile(r"(?:gặp|nhiều) khó khăn|bất cập|tổn thất|lạc hậu", _I), 0.5),
    (
        re.compile(
            r"\bcần (?:có |được |phải |tiếp tục |đẩy mạnh |tập trung |hỗ trợ |ứng dụng |đổi mới "
            r"|nghiên cứu |áp dụng |phát triển |xây dựng |đầu tư |công nghệ |giải pháp )",
            _I,
        ),
        0.5,
    ),
)
# What is done in producing: a need of technology speaks of it, one of rules or money does not.
_OF_PLACE: Final = re.compile(rf"(?:\s[{_UPPER}][^\W\d_]+){{2,3}}(?!\s[{_UPPER}])")
_POLICY: Final = re.compile(
    r"cơ chế|chính sách|văn bản|nghị quyết|nghị định|thông tư|quyết định số|công văn|ý kiến|"
    r"ngân sách|biên chế|cán bộ|tổ chức bộ máy|dự thảo|trình Thủ tướng|Ban chấp hành|Luật ",
    _I,
)
# Wanted too, but not from whoever has technologies.
_SOFT: Final = re.compile(
    r"thị trường|xúc tiến|thương mại|liên kết|nguồn vốn|nguồn lực|nhân lực|tổ chức trung gian|"
    r"kinh phí|thương hiệu|FDI|quy mô nhỏ",
    _I,
)
_THING: Final = (
    r"(?:công nghệ|quy trình(?: công nghệ| kỹ thuật)?|mô hình|giống|máy|thiết bị|dây chuyền|"
    r"chế phẩm|phần mềm|hệ thống|kỹ thuật|tiến bộ kỹ thuật|giải pháp)"
)
_BROAD: Final = frozenset({"mô hình", "giải pháp", "hệ thống", "kỹ thuật"})
_TECHNOLOGY: Final = re.compile(
    rf"\b(?P<thing>{_THING})\s+(?P<what>[^\n;:.!?()“”\"]{{3,160}})", re.IGNORECASE
)
_DONE: Final = re.compile(
    r"(?:đã |được |đang )?(?:ứng dụng|chuyển giao|nghiên cứu|chế tạo|làm chủ|áp dụng|triển khai|"
    r"xây dựng|sản xuất thành công|thử nghiệm|nhân rộng|đưa vào|hoàn thiện|tiếp nhận|hỗ trợ)",
    _I,
)
_DID: Final = re.compile(r"\bđã\b|thành công|làm chủ|được (?:ứng dụng|chuyển giao|áp dụng)", _I)
_STOPS: Final = re.compile(
    r",\s+|\s+(?:để|nhằm|đã|được|góp phần|giúp|phục vụ|trên địa bàn|tại|của|do|với|mang lại|cho|"
    r"là|có|theo|trong|và (?:chuyển giao|các|đào tạo|hỗ trợ|phát triển|xây dựng|nhân rộng)|"
    r"vào|từ|đối với|giai đoạn|ở|như|thuộc|hiện|này|đó|trên)\s"
)
_GENERIC: Final = frozenset(
    {
        "cao",
        "mới",
        "tiên tiến",
        "hiện đại",
        "sạch",
        "thông tin",
        "số",
        "sinh học",
        "chiến lược",
        "phù hợp",
        "khác",
        "thích hợp",
        "tiến bộ",
        "nghệ",
        "nguồn",
        "đổi mới sáng tạo",
        "và",
        "các",
        "hiện có",
        "nước ngoài",
        "trong nước",
        "chuyển đổi số",
        "quản lý",
        "liên kết",
        "kinh tế",
        "chính trị",
        "pháp luật",
        "sản xuất",
        "chế biến",
        "hỗ trợ",
        "trình diễn",
        "tổ chức",
        "phát triển",
        "hàng hóa",
        "tăng trưởng",
        "quan trọng",
        "chủ yếu",
        "lõi",
        "cốt lõi",
    }
)


@dataclass(frozen=True)
class Candidate:
    """What a passage seems to tell.

    ``target``: kind of record; ``name``: of the product or technology, or the words of the need;
    ``product``: node of the product tree that a need or technology is about; ``where``: place in
    the file; ``confidence`` 0–1; ``doubts``: what might have been mended in the passage.
    """

    target: str
    name: str
    product: str | None
    passage: str
    where: str
    confidence: float
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sentence:
    start: int
    text: str


def candidates(running: Running, lexicon: Lexicon) -> list[Candidate]:
    """Return what the text proposes, in reading order; each product and technology once."""
    found: dict[tuple[str, str], Candidate] = {}
    for sentence in _sentences(running.text):
        mentions = lexicon.product_mentions(sentence.text, True)
        for target, name, product, sure in _proposed(sentence.text, mentions, lexicon):
            known = found.get((target, squeeze(name)))
            if known is not None and known.confidence >= sure:
                continue
            made = _candidate(running, sentence, target, name, product, sure)
            found[target, squeeze(name)] = made
    return list(found.values())


def _candidate(
    running: Running, sentence: _Sentence, target: str, name: str, product: str | None, sure: float
) -> Candidate:
    line = running.line_at(sentence.start)
    where = f"trang {line.page} " if line.page else ""
    doubts = running.doubts_in(sentence.start, sentence.start + len(sentence.text))
    sure = round(sure * 0.9 ** len(doubts), 2)
    place = f"{where}{running.unit} {line.number}"
    return Candidate(target, name, product, sentence.text, place, sure, doubts)


def _sentences(text: str) -> Iterator[_Sentence]:
    """Yield the sentences; items of a list and table rows are sentences of their own."""
    start = 0
    for match in [*_END.finditer(text), None]:
        end = match.start() if match else len(text)
        piece = text[start:end]
        if match and _ABBREVIATED.search(piece[-6:]) and "\n" not in match[0]:
            continue
        said = piece.strip(" \t#*_-–•+>|")
        if len(said) >= _SHORTEST:
            yield _Sentence(start + piece.find(said[:20]), " ".join(said[:LONGEST].split()))
        start = match.end() if match else len(text)


def _proposed(
    text: str, mentions: tuple[Mention, ...], lexicon: Lexicon
) -> Iterator[tuple[str, str, str | None, float]]:
    """Yield target, name, product and confidence of what one sentence proposes."""
    names = list(dict.fromkeys(mention.name for mention in mentions))
    narrow = [each.name for each in lexicon.narrowest(lexicon.terms[name] for name in names)]
    product = narrow[0] if narrow else None
    yield from _products(text, mentions, lexicon)
    want = _want(text, bool(names), lexicon)
    if want:
        yield "need", text, product, want
    for name, sure in _technologies(text, lexicon):
        named = lexicon.products(name, True)
        yield "technology", name, named[0].name if named else product, sure


def _products(
    text: str, mentions: tuple[Mention, ...], lexicon: Lexicon
) -> Iterator[tuple[str, str, str | None, float]]:
    """Products named where products are spoken of: after a word for them, or several in a row."""
    role = bool(_ROLES.search(text))
    narrow = [each for each in mentions if each.name not in lexicon.wide]
    several = len({each.name for each in narrow}) >= 3
    for each in narrow:
        sure = 0.3 + 0.3 * role + 0.3 * several
        if sure >= 0.5:
            place = _OF_PLACE.match(text, each.end)  # "xoài Sơn La"
            yield "product", f"{each.name}{place[0] if place else ''}", each.name, sure


def _want(text: str, about: bool, lexicon: Lexicon) -> float:
    """How surely a sentence states a need of technology; 0: it does not."""
    strength = max((sure for phrase, sure in _WANTS if phrase.search(text)), default=0.0)
    if not strength:
        return 0.0
    steps = lexicon.process_mentions(text, True)
    technical = bool(re.search(_THING, text, re.IGNORECASE))
    if not (steps or about) or (not technical and not steps):
        return 0.0
    sure = strength + 0.1 * about + 0.05 * min(len(steps), 2) + 0.05 * technical
    return min(0.95, sure) - 0.25 * bool(_POLICY.search(text)) - 0.15 * bool(_SOFT.search(text))


def _technologies(text: str, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    """Things that were done with: applied, transferred, studied, made."""
    for match in _TECHNOLOGY.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        if not _DONE.search(f"{before} {match['what']}"):
            continue
        what = _STOPS.split(f"{match['what']} ", maxsplit=1)[0].strip(" ,-–")
        if _is_generic(what):
            continue
        name = f"{match['thing']} {what}"
        about = bool(lexicon.products(name, True))
        steps = bool(lexicon.processes(name, True))
        broad = match["thing"].lower() in _BROAD
        if not (about or (steps and not broad)) or len(name) < 15:
            continue
        did = bool(_DID.search(f"{before} {match['what']}"))
        sure = 0.35 + 0.2 * about + 0.15 * steps + 0.2 * did - 0.2 * bool(_POLICY.search(name))
        if sure >= 0.5:
            yield name[0].upper() + name[1:], sure


def _is_generic(what: str) -> bool:
    words = squeeze(what).split()
    generic = {squeeze(each) for each in _GENERIC}
    return not words or squeeze(what) in generic or (len(words) < 3 and words[0] in generic)


def best(found: Iterable[Candidate], least: float) -> list[Candidate]:
    """Return the candidates that are at least so sure."""
    return [each for each in found if each.confidence >= least]
