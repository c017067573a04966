"""What may come of a technology that was shown for a need, and what a reason may be about.

Members carry the field's English terms, values are what stands in people's spreadsheets. The lists
are closed: what is decided is counted, followed up and learnt from, and a word of one's own would
be none of these.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What was decided. The last two say nothing about how well the technology would answer."""

    SHORTLISTED = "lọc vào danh sách"
    CONTACTED = "đã liên hệ"
    AGREED = "thỏa thuận/MOU"
    SIGNED = "đã ký hợp đồng"
    REJECTED = "từ chối"
    NO_LONGER_NEEDED = "không còn nhu cầu"
    COULD_NOT_REACH = "không liên lạc được"


class ReasonKind(StrEnum):
    """What a reason is about. Only the first two are about the technology itself."""

    OFF_TOPIC = "không đúng nhu cầu"
    UNSUITED = "không hợp điều kiện tại chỗ"
    PRICE = "chi phí"
    READINESS = "mức sẵn sàng"
    SUPPLY_SIDE = "bên cung"
    DEMAND_SIDE = "bên cầu"
    OTHER = "khác"


# Other ways to write the values, separated by ";". The members' English names are known as well.
ALSO = {
    Outcome.SHORTLISTED: "đưa vào danh sách; đã lọc; chọn vào danh sách",
    Outcome.CONTACTED: "liên hệ; đã gọi; đã trao đổi",
    Outcome.AGREED: "thỏa thuận; MOU; biên bản ghi nhớ; đã ký MOU; đã thỏa thuận; agreement",
    Outcome.SIGNED: "hợp đồng; ký hợp đồng; contract; contract signed",
    Outcome.REJECTED: "loại; không chọn; bị từ chối; đã từ chối",
    Outcome.NO_LONGER_NEEDED: "hết nhu cầu; không cần nữa; not needed",
    Outcome.COULD_NOT_REACH: "không liên hệ được; chưa liên lạc được; unreachable",
    ReasonKind.OFF_TOPIC: "công nghệ không đúng nhu cầu; không đúng; sai sản phẩm",
    ReasonKind.UNSUITED: "không hợp điều kiện; không phù hợp điều kiện tại chỗ",
    ReasonKind.PRICE: "giá; giá cao; kinh phí; vượt kinh phí",
    ReasonKind.READINESS: "TRL; chưa sẵn sàng",
    ReasonKind.SUPPLY_SIDE: "đơn vị sở hữu; bên sở hữu",
    ReasonKind.DEMAND_SIDE: "đơn vị có nhu cầu; bên nhận",
    ReasonKind.OTHER: "lý do khác",
}
