"""Blank forms for needs: what they ask of whom, and how they say it is to be filled in.

What a round knows of the body that is asked stands above the table; whose a filled form is says
the code in each of its rows (:mod:`corpus.gathering`), so that rows copied into another file still
know where they came from. :mod:`service.need_form_files` makes files of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from corpus.gathering import Asked, AskedKind, Code, Round, answers
from corpus.headings import title
from corpus.records import STAGES, Need, Product
from corpus.store import Store
from corpus.text import fold
from service.filled_forms import ROW
from service.handover import plain

PRODUCT: Final = "Sản phẩm"  # a name here, not the id that our own files carry
PRIORITIES: Final = ("1", "2", "3")
ASKER_KINDS: Final = ("doanh nghiệp", "HTX", "hộ", "tổ chức")
_COLUMNS: Final = (
    ("id", 17), ("product", 22), ("text", 58), ("stage", 19), ("priority", 9), ("asker", 24),
    ("asker_kind", 14), ("commune", 19), ("province", 14), ("scale", 16), ("current", 24),
    ("budget", 15), ("trl_min", 10),
)  # fmt: skip
_EXPERT: Final = frozenset({"trl_min"})  # asked of departments only
_WHO: Final = {
    AskedKind.DEPARTMENT: "sở, ngành: tổng hợp nhu cầu của các đơn vị thuộc lĩnh vực mình quản lý",
    AskedKind.COMMUNE: "xã, phường, đặc khu: tổng hợp nhu cầu của hộ, HTX, doanh nghiệp tại chỗ",
    AskedKind.ENTERPRISE: "doanh nghiệp, HTX: nêu nhu cầu của chính đơn vị mình",
}


@dataclass(frozen=True)
class Blank:
    """What a blank form is about. ``first`` is the number of its first row."""

    kind: AskedKind
    products: tuple[str, ...]
    round: Round | None = None
    body: Asked | None = None
    first: int = 1
    marked: bool = False  # a sample record stands on it

    @property
    def columns(self) -> tuple[tuple[str, str, int], ...]:
        """Field, heading and width (characters) of every column."""
        shown = [each for each in _COLUMNS if self._asks(each[0])]
        return tuple((name, heading(name), width) for name, width in shown)

    def _asks(self, name: str) -> bool:
        return self.kind is AskedKind.DEPARTMENT or name not in _EXPERT

    @property
    def about(self) -> tuple[str, ...]:
        """What stands above the table."""
        lines = [f"Dành cho {_WHO[self.kind]}"]
        if self.round is not None:
            place = f", tỉnh/thành phố {self.round.province}" if self.round.province else ""
            lines.append(
                f"Đợt {self.round.id}: {self.round.name}, kế hoạch năm {self.round.year}{place}"
            )
        if self.round is not None and self.body is not None:
            until = f"{self.round.deadline:%d/%m/%Y}"
            lines.append(f"Đơn vị được hỏi: {self.body.name}. Hạn trả lời: {until}")
        return tuple(map(plain, lines))

    def code(self, place: int) -> str:
        """Return what the row at ``place`` (from 0) is called; nothing without a body."""
        if self.round is None or self.body is None:
            return ""
        return str(Code(self.round.id, self.body.number, f"{self.first + place:03}"))

    def file(self, suffix: str) -> str:
        """Return a name for the file, in plain letters."""
        said = f"{self.body.number:03} {self.body.name}" if self.body else str(self.kind)
        words = "".join(c if c.isalnum() and c.isascii() else " " for c in fold(said)).split()
        return f"phieu-{'-'.join(words)[:60]}{suffix}"


def heading(name: str) -> str:
    """Return the heading under which a form asks for a field of a need."""
    return {"id": ROW, "product": PRODUCT}.get(name) or title(Need.kind_name, name)


def blank(
    store: Store, kind: AskedKind, of: Round | None = None, body: Asked | None = None
) -> Blank:
    """Return what a form asks that goes out now: its rows go on where the body's needs end."""
    products = store.all(Product)
    names = sorted({plain(each.name) for each in products}, key=lambda name: (fold(name), name))
    marked = any(each.illustrative for each in (*products, *([of] if of else [])))
    first = 1
    if of is not None and body is not None:
        told = answers(store.hashes(Need.kind_name), of.id).get(body.number, ())
        first = 1 + max((int(each.row) for each in told if each.row.isdecimal()), default=0)
    return Blank(kind, tuple(names), of, body, first, marked)


def guide(form: Blank) -> Iterator[str]:
    """Yield how to fill the form in, a point at a time."""
    yield (
        "Mỗi dòng một nhu cầu. Nêu điều đang vướng và kết quả mong muốn bằng lời của đơn vị, "
        "không cần tên công nghệ."
    )
    yield (
        f"Bắt buộc: “{PRODUCT}” và “{heading('text')}”. Cột khác chưa biết thì để trống; đừng ghi "
        "số 0 thay cho chưa biết."
    )
    yield _ABOUT_CODES if form.body else f"Cột “{ROW}” để trống: chương trình cấp mã khi nạp."
    yield f"“{heading('stage')}”: một trong: {'; '.join(STAGES)}."
    yield (
        f"“{heading('priority')}”: 1 – cấp bách, cần ngay trong năm; 2 – cần trong một, hai năm; "
        "3 – nên có."
    )
    yield f"“{heading('asker_kind')}”: một trong: {'; '.join(ASKER_KINDS)}."
    yield (
        f"“{heading('budget')}”: số tiền nhiều nhất mà đơn vị có thể bỏ ra, tính bằng triệu đồng, "
        "ví dụ 250."
    )
    if form.kind is AskedKind.DEPARTMENT:
        yield (
            f"“{heading('trl_min')}”: mức sẵn sàng của công nghệ, từ 1 đến 9; 9 là công nghệ đã "
            "dùng rộng rãi."
        )
    yield (
        f"“{PRODUCT}”: ghi đúng tên trong danh mục. Sản phẩm chưa có trong danh mục thì vẫn ghi, "
        "và báo nơi gửi phiếu để bổ sung trước khi nạp."
    )


_ABOUT_CODES: Final = (
    f"Không sửa cột “{ROW}”: nhờ cột này mà biết phiếu của ai. Sửa nhu cầu đã gửi thì sửa đúng "
    "dòng đó rồi gửi lại; thêm nhu cầu thì điền tiếp dòng trống của chính phiếu ấy."
)
