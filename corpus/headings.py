"""Headings as people write them → the fields of our records.

A heading is compared by its squeezed form (no accents, case, punctuation or underscores), so
``Tên công nghệ``, ``TEN CONG NGHE`` and ``ten_cong_nghe`` are one. What is known: every field's own
``title``, its English name, and the table of alternatives below, open to officers' additions. The
kind of a table follows from its headings; the names of its sheet and file only break ties.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from corpus.records import KINDS, Record
from corpus.text import squeeze

# Alternatives to a field's own title, separated by ";". One heading may serve several kinds.
_COMMON: Final = {
    "illustrative": "Minh họa; Dữ liệu mẫu",
    "source": "Nguồn dữ liệu; Nguồn tin; Nguồn thông tin",
}
_WORK: Final = {  # what a proposal and a task have in common
    "name": "Tên; Tên đề tài; Tên dự án; Tên nhiệm vụ đề xuất",
    "kind": "Loại; Loại hình; Loại hình nhiệm vụ",
    "lead": "Chủ trì; Tổ chức chủ trì; Cơ quan chủ trì",
    "partners": "Phối hợp; Cơ quan phối hợp; Tổ chức phối hợp",
    "receiver": "Tiếp nhận; Tổ chức tiếp nhận; Bên tiếp nhận; Đơn vị ứng dụng",
    "receiver_kind": "Loại hình đơn vị tiếp nhận; Đối tượng tiếp nhận",
    "place": "Nơi ứng dụng; Nơi thực hiện; Khả năng và địa chỉ ứng dụng; Địa điểm; "
    "Địa điểm thực hiện",
    "commune": "Xã; Phường; Xã/phường; Xã, phường, đặc khu",
    "province": "Tỉnh/Thành phố; Tỉnh thành; Địa phương",
    "area_class": "Địa bàn; Phân loại địa bàn; Khu vực",
    "goal": "Mục tiêu chính",
    "content": "Nội dung; Nội dung chính; Nội dung thực hiện; Quy mô",
    "outputs": "Kết quả dự kiến; Sản phẩm/Kết quả dự kiến; Sản phẩm",
    "products": "Sản phẩm phục vụ; Mã sản phẩm",
    "fields": "Lĩnh vực nghiên cứu",
    "priority_group": "Nhóm nhiệm vụ; Nhóm; Nhóm nội dung ưu tiên",
    "start": "Bắt đầu; Thời gian bắt đầu; Từ năm",
    "end": "Kết thúc; Thời gian kết thúc; Đến năm",
    "state_total": "Kinh phí NSNN; NSNN; Ngân sách nhà nước; Kinh phí ngân sách; "
    "Kinh phí từ NSNN; Tổng NSNN",
    "own_total": "Kinh phí đối ứng; Đối ứng; Nguồn khác; Kinh phí khác; Vốn đối ứng; Tổng đối ứng",
    "state_yearly": "NSNN từng năm; Kinh phí NSNN từng năm; NSNN theo năm",
    "own_yearly": "Đối ứng từng năm; Kinh phí đối ứng từng năm; Đối ứng theo năm",
}
_ALSO: Final[Mapping[str, Mapping[str, str]]] = {
    "technology": {
        "id": "Mã CN; Mã công nghệ; Mã số; Mã số công nghệ; Số hồ sơ; Ký hiệu; ID",
        "name": "Tên; Tên CN; Công nghệ; Tên nhiệm vụ; Tên kết quả; Tên sáng chế; Tên giải pháp; "
        "Tên đề tài; Tên thiết bị; Tiêu đề",
        "summary": "Mô tả ngắn; Mô tả tóm tắt; Giới thiệu; Điểm nổi bật",
        "detail": "Mô tả; Chi tiết; Nội dung; Nội dung chính; Nội dung công nghệ",
        "kind": "Loại hình; Loại công nghệ; Loại hồ sơ",
        "fields": "Lĩnh vực nghiên cứu; Lĩnh vực áp dụng; Lĩnh vực công nghệ",
        "products": "Sản phẩm; Áp dụng cho; Đối tượng áp dụng; Cây trồng, vật nuôi",
        "stages": "Khâu áp dụng; Công đoạn",
        "trl": "Mức TRL; TRL (1-9); Mức độ sẵn sàng; Mức sẵn sàng công nghệ; Trình độ sẵn sàng",
        "owner": "Chủ sở hữu; Tổ chức chủ trì; Cơ quan chủ trì; Đơn vị chủ trì; Đơn vị cung cấp; "
        "Bên cung cấp; Người đăng; Tác giả",
        "province": "Tỉnh/Thành phố; Tỉnh thành; Địa phương",
        "cost_from": "Chi phí từ; Giá từ; Giá thấp nhất; Giá chào từ",
        "cost_to": "Chi phí đến; Giá đến; Giá cao nhất; Giá chào đến",
        "capacity": "Năng suất; Quy mô công suất",
        "transfer": "Phương thức chuyển giao; Hình thức chuyển quyền; Chuyển giao",
        "ip_status": "SHTT; Sở hữu trí tuệ; Tình trạng sở hữu trí tuệ; Tình trạng pháp lý",
        "year": "Năm công bố; Năm hoàn thành; Năm nghiệm thu; Năm công nhận",
        "valid_until": "Hạn hiệu lực; Ngày hết hiệu lực; Ngày hết hạn; Có hiệu lực đến",
        "keywords": "Từ khoá chính; Keyword; Tags",
        "places_used": "Nơi ứng dụng; Nơi áp dụng; Địa chỉ ứng dụng; Địa chỉ áp dụng",
        "effect": "Kết quả; Hiệu quả đạt được; Hiệu quả (số liệu)",
        "conditions": "Điều kiện; Yêu cầu áp dụng",
        "acceptance_no": "Số công nhận; Số quyết định nghiệm thu; Số nghiệm thu/công nhận",
        "acceptance_date": "Ngày công nhận; Ngày nghiệm thu/công nhận",
        "origin": "Nguồn gốc",
        "contact": "Thông tin liên hệ; Người liên hệ; Địa chỉ liên hệ; Điện thoại; Email",
        "updated": "Ngày cập nhật gần nhất; Cập nhật",
        "restricted": "Hiển thị; Mức hiển thị; Chế độ công khai; Bảo mật; Visibility",
    },
    "product": {
        "id": "Mã SP; Mã sản phẩm; Mã số; Ký hiệu; ID",
        "name": "Tên; Tên SP; Sản phẩm; Sản phẩm chủ lực; Tên sản phẩm chủ lực",
        "level": "Cấp sản phẩm; Cấp độ; Phân cấp",
        "province": "Tỉnh/Thành phố; Tỉnh thành; Địa phương",
        "sector": "Ngành; Nhóm; Ngành hàng; Nhóm sản phẩm; Lĩnh vực",
        "aliases": "Tên gọi khác; Bí danh; Thành phần; Sản phẩm thành phần",
        "parent": "Mã sản phẩm cha; Thuộc sản phẩm; Thuộc nhóm sản phẩm; Sản phẩm cấp trên",
        "lists": "Thuộc danh mục; Các danh mục; Quyết định",
    },
    "need": {
        "id": "Mã nhu cầu; Mã NC; Mã số; Mã dòng; Ký hiệu; ID",
        "product": "Mã SP; Sản phẩm; Tên sản phẩm; Sản phẩm chủ lực",
        "text": "Nội dung nhu cầu; Nhu cầu công nghệ; Mô tả nhu cầu; Nội dung; Vấn đề; Mô tả",
        "stage": "Công đoạn",
        "budget": "Kinh phí; Kinh phí tối đa; Ngân sách; Giá đến; Khả năng chi trả",
        "trl_min": "TRL; TRL yêu cầu; TRL thấp nhất; Mức sẵn sàng tối thiểu",
        "priority": "Mức ưu tiên; Độ ưu tiên; Thứ tự ưu tiên",
        "asker": "Đơn vị; Người yêu cầu; Đơn vị đề xuất; Tổ chức đề xuất; Bên cần",
        "asker_kind": "Loại hình đơn vị; Đối tượng",
        "commune": "Xã; Phường; Xã/phường; Địa bàn; Xã, phường, đặc khu",
        "province": "Tỉnh/Thành phố; Tỉnh thành; Địa phương",
        "scale": "Quy mô sản xuất",
        "current": "Công nghệ hiện tại; Công nghệ hiện có; Hiện trạng công nghệ",
        "collector": "Đơn vị tổng hợp; Cơ quan thu thập",
        "date": "Ngày ghi nhận; Ngày đề xuất; Ngày gửi",
        "status": "Tình trạng",
        "topic": "Chuyên đề",
    },
    "judgment": {
        "need": "Nhu cầu; Mã NC; Need ID; Query ID",
        "technology": "Công nghệ; Mã CN; Technology ID; Doc ID",
        "grade": "Mức phù hợp; Mức đánh giá; Điểm; Đánh giá; Relevance",
    },
    "decision": {
        "need": "Nhu cầu; Mã NC; Need ID",
        "technology": "Công nghệ; Mã CN; Technology ID",
        "outcome": "Quyết định; Kết quả kết nối; Kết quả xử lý; Tình trạng; Tình trạng kết nối; "
        "Trạng thái",
        "date": "Ngày; Thời điểm; Ngày ghi nhận; Ngày liên hệ",
        "reason_kind": "Loại lý do; Lý do về",
        "reason": "Lý do cụ thể; Lý do chi tiết; Giải thích",
        "next_step": "Việc tiếp theo; Bước kế tiếp; Việc cần làm",
        "next_date": "Ngày hẹn; Hạn; Hạn thực hiện; Thời hạn; Ngày bước tiếp theo",
        "event": "Sự kiện kết nối; Hội chợ; Phiên kết nối",
        "by": "Người ghi; Người thực hiện; Cán bộ; Cán bộ phụ trách; Người phụ trách",
        "rank": "Thứ hạng; Vị trí; Vị trí khi xem; Thứ tự khi xem",
        "index_version": "Chỉ mục",
        "model_version": "Mô hình",
    },
    "proposal": {
        **_WORK,
        "id": "Mã đề xuất; Mã phiếu; Số phiếu; Mã số; ID",
        "proposer": "Tổ chức đề xuất; Cơ quan đề xuất; Đơn vị, cá nhân đề xuất",
        "urgency": "Sự cần thiết; Lý do đề xuất; Tính cấp thiết của nhiệm vụ",
        "needs": "Mã nhu cầu; Nhu cầu",
        "technologies": "Mã công nghệ; Công nghệ",
        "origin": "Nguồn gốc",
        "method": "Phương thức thực hiện; Hình thức thực hiện; Hình thức giao",
        "carried_over": "Nhiệm vụ chuyển tiếp; Chuyển tiếp hay mở mới",
        "status": "Tình trạng; Tình trạng xử lý",
        "date": "Ngày; Ngày gửi; Ngày nộp",
    },
    "task": {
        **_WORK,
        "id": "Mã nhiệm vụ; Mã đề tài; Mã số; Ký hiệu; ID",
        "leader": "Chủ nhiệm nhiệm vụ; Chủ nhiệm đề tài; Chủ nhiệm dự án",
        "level": "Cấp; Cấp nhiệm vụ",
        "progress": "Tình trạng nhiệm vụ; Tiến độ; Trạng thái thực hiện",
        "result": "Kết quả; Kết quả thực hiện; Sản phẩm đạt được",
        "acceptance_no": "Số quyết định nghiệm thu; Số công nhận; Quyết định công nhận",
        "proposal": "Mã đề xuất; Phiếu đề xuất",
        "contract_value": "Giá trị hợp đồng",
        "models": "Mô hình; Số mô hình xây dựng",
        "trained": "Đào tạo; Số người đào tạo",
        "instructed": "Tập huấn; Số người tập huấn",
        "participations": "Số lượt tham gia; Lượt tham gia; Lượt hỗ trợ tham gia thị trường",
        "replicated": "Nhân rộng; Địa chỉ nhân rộng",
    },
}
# A sheet or file so named holds this kind; asked only when the headings leave a tie.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "technology": ("cong nghe", "technologies", "technology", "ket qua"),
    "product": ("san pham", "products", "product"),
    "need": ("nhu cau", "needs", "need"),
    "judgment": ("danh gia", "judgments", "judgements", "qrels"),
    "decision": ("quyet dinh", "decisions", "decision", "ket noi", "theo doi"),
    "proposal": ("de xuat", "phieu", "proposals", "proposal"),
    "task": ("nhiem vu", "tasks", "task", "de tai", "du an"),
}
UNITS: Final[Mapping[str, float]] = {  # one of each in million VND
    **dict.fromkeys(("ty", "ti", "ty dong", "ti dong", "ty vnd"), 1e3),
    **dict.fromkeys(("trieu", "tr", "trd", "trieu dong", "tr dong", "trieu vnd"), 1.0),
    **dict.fromkeys(("nghin", "ngan", "nghin dong", "ngan dong", "k"), 1e-3),
    **dict.fromkeys(("dong", "d", "vnd"), 1e-6),
}
YEARLY_FIELDS: Final = frozenset({"state_yearly", "own_yearly"})
MONEY_FIELDS: Final = YEARLY_FIELDS | {
    "cost_from",
    "cost_to",
    "budget",
    "state_total",
    "own_total",
    "contract_value",
}
_NUMBERING: Final = frozenset({"stt", "tt", "so tt", "so thu tu", "no"})
_NOTE: Final = re.compile(r"\((?:nếu có|bắt buộc|không bắt buộc)\)", re.IGNORECASE)
_UNIT: Final = re.compile(r"^(.*)\(([^()]+)\)\s*$", re.DOTALL)


class UnknownTable(ValueError):  # noqa: N818 - reads as a noun, like UnreadableFile
    """The headings fit no kind of record, or several equally; the message is for the user."""


@dataclass(frozen=True)
class Layout:
    """Which column of a table carries what.

    ``fields`` maps column index → field; ``doubles`` holds further columns of a field already
    taken; ``unknown`` the columns of no field; ``units`` the money unit (in million VND) that a
    column's heading states.
    """

    kind: str
    fields: Mapping[int, str]
    doubles: Mapping[int, str]
    unknown: tuple[int, ...]
    units: Mapping[int, float]


def _table(kind: str, record: type[Record]) -> dict[str, str]:
    """Return squeezed heading → field: a field's own title wins over another's alternative."""
    known: dict[str, str] = {}
    left_out = {"extra", "certainty"}
    fields = {name: info for name, info in record.model_fields.items() if name not in left_out}
    for name, info in fields.items():
        known[squeeze(info.title or name)] = name
    also = {**_COMMON, **_ALSO.get(kind, {})}
    for name in fields:
        for heading in (name, *also.get(name, "").split(";")):
            known.setdefault(squeeze(heading), name)
    known.pop("", None)
    return known


_KNOWN: Final = {kind: _table(kind, record) for kind, record in KINDS.items()}
_ANY: Final = frozenset(heading for known in _KNOWN.values() for heading in known)


def is_known(heading: str) -> bool:
    """Whether ``heading`` names a field of any kind of record."""
    return squeeze(heading) in _ANY


def is_numbering(heading: str) -> bool:
    """Whether ``heading`` only numbers the rows (``STT``), which says nothing about a record."""
    return squeeze(heading) in _NUMBERING


def title(kind: str, field: str) -> str:
    """Return the Vietnamese heading of ``field``."""
    return KINDS[kind].model_fields[field].title or field


def field_of(kind: str, heading: str) -> tuple[str, float] | None:
    """Return ``(field, unit)`` for one heading, or ``None``; unit in million VND, else 1."""
    known = _KNOWN[kind]
    heading = _NOTE.sub(" ", heading)
    if field := known.get(squeeze(heading)):
        return field, 1.0
    if match := _UNIT.match(heading):
        field, unit = known.get(squeeze(match[1])), UNITS.get(squeeze(match[2]))
        if field in MONEY_FIELDS and unit is not None:
            return field, unit
    return None


def lay_out(kind: str, headings: Sequence[str]) -> Layout:
    """Assign columns to the fields of ``kind``: the first column of a field takes it."""
    fields: dict[int, str] = {}
    doubles: dict[int, str] = {}
    units: dict[int, float] = {}
    unknown = []
    taken: set[str] = set()
    for index, heading in enumerate(headings):
        found = field_of(kind, heading)
        if found is None:
            unknown.append(index)
        elif found[0] in taken:
            doubles[index] = found[0]
        else:
            fields[index], units[index] = found
            taken.add(found[0])
    return Layout(kind, fields, doubles, tuple(unknown), units)


def _required(kind: str) -> list[str]:
    return [name for name, info in KINDS[kind].model_fields.items() if info.is_required()]


def _needed(kind: str) -> list[str]:
    """The columns without which a table is not read as this kind unless somebody says so."""
    return [*_required(kind), *KINDS[kind].telling]


def recognise(headings: Sequence[str], sheet: str | None = None, file: str = "") -> Layout:
    """Return the layout of the table whose ``headings`` these are.

    The kind is the one whose required and telling fields are all there and that most columns match;
    a tie is broken by the name of the sheet, then of the file. Raises :class:`UnknownTable`.
    """
    layouts = [lay_out(kind, headings) for kind in KINDS]
    whole = [each for each in layouts if set(_needed(each.kind)) <= set(each.fields.values())]
    if not whole:
        raise UnknownTable(_explain(headings, layouts))
    most = max(len(each.fields) for each in whole)
    best = [each for each in whole if len(each.fields) == most]
    for name in (sheet or "", file):
        if len(best) > 1:
            best = [each for each in best if _named(each.kind, name)] or best
    if len(best) > 1:
        labels = " hay ".join(f'"{KINDS[each.kind].label}"' for each in best)
        raise UnknownTable(
            f"các cột {_quoted(headings)} chưa đủ để biết đây là bảng {labels}; hãy đặt tên trang "
            "tính hoặc tên tệp theo loại dữ liệu, hay ghi rõ tiêu đề (ví dụ: Tên công nghệ)"
        )
    return best[0]


def _named(kind: str, name: str) -> bool:
    return names_kind(kind, name.rsplit(".", 1)[0])


def names_kind(kind: str, text: str) -> bool:
    """Whether ``text`` says the noun of ``kind`` (``Phiếu nhu cầu``, ``Tên công nghệ``)."""
    said = f" {squeeze(text)} "
    return any(f" {word} " in said for word in _NAMES[kind])


def _explain(headings: Sequence[str], layouts: Sequence[Layout]) -> str:
    """Say what was seen, which kind comes nearest, what it lacks and what may be misspelt."""
    near = max(layouts, key=lambda each: len(each.fields))
    message = f"không nhận ra đây là bảng gì; các tiêu đề đọc được: {_quoted(headings)}"
    if not near.fields:
        message += "; dòng đầu của bảng phải là tiêu đề cột, ví dụ: Mã, Tên công nghệ"
    else:
        present = set(near.fields.values())
        lacking = [name for name in _needed(near.kind) if name not in present]
        columns = ", ".join(f'"{title(near.kind, name)}"' for name in lacking)
        message += f"; gần nhất là bảng {KINDS[near.kind].label} nhưng thiếu cột {columns}"
    for index in near.unknown:
        if guess := nearest(near.kind if near.fields else None, headings[index]):
            message += f'; "{shorten(headings[index])}" có phải là "{guess}"?'
    return message


def nearest(kind: str | None, heading: str) -> str | None:
    """Return the title of the field whose known heading is closest to ``heading``, if any is."""
    tables = [(each, _KNOWN[each]) for each in ([kind] if kind else KINDS)]
    titles = {known: title(each, field) for each, table in tables for known, field in table.items()}
    close = difflib.get_close_matches(squeeze(heading)[:100], titles, n=1, cutoff=0.8)
    return titles[close[0]] if close else None


def likely(kind: str, heading: str) -> str | None:
    """Return the field that ``heading`` probably names, though it is not a known heading.

    One that differs by a slip of the pen; else one that says a known heading of two syllables and
    more among other words (``Tên thiết bị chào bán``), the longest such.
    """
    known, words = _KNOWN[kind], squeeze(heading)[:100]
    close = difflib.get_close_matches(words, known, n=1, cutoff=0.85)
    if close:
        return known[close[0]]
    said = [each for each in known if " " in each and f" {each} " in f" {words} "]
    return known[max(said, key=lambda each: (len(each), each))] if said else None


def unit_of(heading: str) -> str | None:
    """Return the money unit that a heading states at its end, as it is written there."""
    match = _UNIT.match(heading)
    return match[2].strip() if match and squeeze(match[2]) in UNITS else None


def _quoted(headings: Sequence[str]) -> str:
    shown = [f'"{shorten(heading, 40)}"' for heading in headings[:12] if heading.strip()]
    return ", ".join(shown) + (" …" if len(headings) > 12 else "") if shown else "(không có)"


def shorten(text: str, width: int = 60) -> str:
    """Return ``text`` on one line, cut to ``width`` characters for a message."""
    line = " ".join(text[: 4 * width].split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
