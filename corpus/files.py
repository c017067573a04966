"""Files → checked bytes → text: what is refused, and in what words.

Everything that makes a file useless as a whole is found here, before a parser sees it: it is
missing, a folder, too large, of another format, packed to burst, or in an unknown character set.
:class:`UnreadableFile` says in Vietnamese what it is and what to do. Text arrives in UTF-8, UTF-16
Windows-1258, whose combining tone marks become NFC, TCVN3, VNI or VISCII (:mod:`corpus.repair`).
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final

from corpus.bytewise import decode as read_bytes
from corpus.repair import mend

_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # a byte that no encoding explains
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_SIGNATURES: Final = {
    b"%PDF": "tệp PDF",
    b"\x89PNG": "tệp ảnh",
    b"\xff\xd8\xff": "tệp ảnh",
    b"GIF8": "tệp ảnh",
    b"{\\rtf": "văn bản RTF",
    b"\x1f\x8b": "tệp nén GZ",
    b"Rar!": "tệp nén RAR",
    b"7z\xbc\xaf": "tệp nén 7Z",
    b"SQLite format 3": "cơ sở dữ liệu SQLite",
}
BROKEN_WORKBOOK: Final = (
    "tệp Excel bị hỏng hoặc chưa tải hết; hãy mở bằng Excel, lưu lại thành .xlsx hoặc tải lại tệp"
)
_PACKAGES: Final = {  # a part that only this kind of zip has
    "xl/workbook.bin": "tệp Excel nhị phân (.xlsb); hãy lưu lại thành .xlsx",
    "word/document.xml": "tệp Word (.docx); hãy chép bảng sang Excel và lưu thành .xlsx",
    "ppt/presentation.xml": "tệp PowerPoint (.pptx); hãy chép bảng sang Excel và lưu thành .xlsx",
    "content.xml": "tệp LibreOffice; hãy lưu lại thành .xlsx",
}
_MARKS: Final = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")  # Vietnamese ones
ACCEPTED: Final = "hãy dùng tệp .xlsx, .csv, .tsv hoặc .jsonl"


@dataclass(frozen=True)
class Limits:
    """What is refused before it fills the memory or holds up others; sizes in bytes."""

    file_bytes: int = 256 * 2**20
    unpacked_bytes: int = 512 * 2**20
    ratio: float = 150  # unpacked to packed, asked from ``ratio_from`` bytes unpacked
    ratio_from: int = 16 * 2**20
    entries: int = 5_000
    rows: int = 1_048_576  # of one sheet: Excel's own limit
    cells: float = inf  # of a whole file
    seconds: float = inf  # of reading one file


DEFAULT_LIMITS: Final = Limits()


class UnreadableFile(ValueError):  # noqa: N818 - a fact about a file, read as a noun in messages
    """A file that gives no table at all: ``path`` and the Vietnamese ``reason``, both fixed."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.args[0])

    @property
    def reason(self) -> str:
        """Why it cannot be read and what to do."""
        return str(self.args[1])

    def __str__(self) -> str:
        return f"{self.path.name}: {self.reason}"


def load_bytes(path: Path, limits: Limits) -> bytes:
    """Return the content of the file, or raise UnreadableFile saying why it cannot be had."""
    try:
        if path.is_dir():
            raise UnreadableFile(path, "đây là thư mục, không phải tệp; hãy chọn tệp bên trong")
        if not path.exists():
            raise UnreadableFile(path, "không tìm thấy tệp; hãy kiểm tra lại tên và đường dẫn")
        if not path.is_file():
            raise UnreadableFile(path, f"đây không phải là tệp dữ liệu; {ACCEPTED}")
        if path.stat().st_size > limits.file_bytes:
            limit = f"{limits.file_bytes / 2**20:g} MB"
            raise UnreadableFile(path, f"tệp quá lớn (giới hạn {limit}); hãy chia thành nhiều tệp")
        data = path.read_bytes()
    except PermissionError as error:
        reason = "không có quyền đọc tệp; hãy cấp quyền đọc hoặc đóng chương trình đang mở tệp"
        raise UnreadableFile(path, reason) from error
    except OSError as error:
        reason = f"hệ thống không đọc được tệp (mã lỗi {error.errno}); hãy chép lại tệp rồi thử lại"
        raise UnreadableFile(path, reason) from error
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile(path, "tệp rỗng; hãy kiểm tra lại việc lưu hoặc sao chép tệp")
    return data


def refuse_other_formats(path: Path, data: bytes) -> None:
    """Raise UnreadableFile when the content is none of the text formats."""
    if data.startswith(_OLD_OFFICE):
        raise UnreadableFile(
            path,
            "đây là tệp Office cũ (.xls, .doc) hoặc có mật khẩu; hãy mở bằng Excel, bỏ mật khẩu và "
            "lưu lại thành .xlsx",
        )
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            raise UnreadableFile(path, f"đây là {name}, không phải bảng dữ liệu; {ACCEPTED}")
    start = data[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        raise UnreadableFile(
            path, "đây là trang HTML/XML; hãy mở bằng Excel và lưu lại thành .xlsx"
        )
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        sample = data[: 2**16]
        control = sum(sample.count(code) for code in range(32) if code not in (9, 10, 12, 13))
        if control > max(8, len(sample) // 20):  # stray control characters are left to the readers
            raise UnreadableFile(path, f"đây là tệp nhị phân, không phải bảng dữ liệu; {ACCEPTED}")


def decode(path: Path, data: bytes) -> str:
    """Return the text of ``data``: UTF-8 or UTF-16, else Windows-1258 or an older one, NFC.

    A few damaged bytes in UTF-8 become U+FFFD, so that only their rows are lost. Raises
    UnreadableFile when no encoding gives Vietnamese text.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    text = data.decode("utf-8-sig", errors="replace")
    damaged = text.count("\ufffd")
    if damaged and sum(char > "\x7f" for char in text) < 5 * damaged:
        text = unicodedata.normalize("NFC", data.decode("cp1258", errors="replace"))
        if not _looks_vietnamese(text):
            text = mend(by_line(data), pages=False).text
        if not _looks_vietnamese(text):
            raise UnreadableFile(
                path,
                "không nhận ra bảng mã chữ; hãy chuyển sang Unicode và lưu lại ở dạng CSV UTF-8 "
                "hoặc .xlsx",
            )
    return text


def by_line(data: bytes) -> str:
    """Return the text of ``data``, which may be of two encodings: files are put together.

    A byte that no encoding explains becomes U+FFFD.
    """
    return _SURROGATE.sub("\ufffd", read_bytes(data.removeprefix(codecs.BOM_UTF8))[0])


def _looks_vietnamese(text: str) -> bool:
    """Whether the letters outside ASCII are mostly Vietnamese ones, as in real Windows-1258."""
    beyond = [char for char in text if char > "\x7f" and char not in "–—“”‘’…•°·²³½±×÷§₫®©€™\u00a0"]
    good = sum(_is_vietnamese(char) for char in beyond)
    return good >= 0.85 * len(beyond)


def _is_vietnamese(char: str) -> bool:
    base, *marks = list(unicodedata.normalize("NFD", char))
    return char in "đĐ" or (base.isascii() and _MARKS.issuperset(marks))


def check_burst(
    path: Path, data: bytes, limits: Limits, broken: str = BROKEN_WORKBOOK
) -> list[zipfile.ZipInfo]:
    """Return the entries of a zip that is safe to unpack; else raise UnreadableFile.

    Only the directory of the zip is read; a member longer than it states fails when it is unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise UnreadableFile(path, broken) from error
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    bursting = unpacked > limits.ratio_from and unpacked > limits.ratio * max(packed, 1)
    if bursting or unpacked > limits.unpacked_bytes or len(entries) > limits.entries:
        raise UnreadableFile(
            path,
            f"tệp nén bất thường ({len(entries)} phần, bung ra {unpacked / 2**20:.0f} MB từ "
            f"{len(data) / 2**20:.1f} MB) nên không mở, để tránh treo máy; nếu là tệp thật, hãy "
            "chép riêng phần dữ liệu sang tệp mới",
        )
    return entries


def check_package(path: Path, data: bytes, limits: Limits) -> None:
    """Raise UnreadableFile unless ``data`` is a workbook (.xlsx) that is safe to unpack."""
    entries = check_burst(path, data, limits)
    names = {entry.filename for entry in entries}
    for part, name in _PACKAGES.items():
        if part in names:
            raise UnreadableFile(path, f"đây là {name}")
    if not any(name.startswith("xl/") for name in names):
        raise UnreadableFile(path, f"đây là tệp nén ZIP, không phải bảng dữ liệu; {ACCEPTED}")
