"""ZIP files → the files inside, each checked before a byte of it is unpacked.

An archive that would burst, or that names a place outside itself, is refused whole: it was made to
harm. An archive within an archive is refused alone; what has a password likewise.
"""

from __future__ import annotations

import io
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from corpus.files import Limits, UnreadableFile, check_burst, load_bytes

_BROKEN: Final = "tệp ZIP bị hỏng hoặc chưa tải hết; hãy tải lại hoặc nén lại"
_OUTSIDE: Final = (
    "tệp ZIP có phần ghi ra ngoài thư mục của nó ({name}) nên không mở; hãy nén lại từ tệp gốc"
)
_NESTED: Final = "tệp nén nằm trong tệp nén; hãy giải nén rồi nạp tệp bên trong"
_LOCKED: Final = "có mật khẩu; hãy giải nén rồi nạp tệp bên trong"
_ARCHIVES: Final = (".zip", ".rar", ".7z", ".gz", ".tar", ".tgz", ".bz2", ".xz")


@dataclass(frozen=True)
class Unpacked:
    """The files of an archive by the name that they have in it, and why others are not there."""

    files: tuple[tuple[str, Path], ...]
    refused: tuple[tuple[str, str], ...]


def unpack(path: Path, into: Path, limits: Limits) -> Unpacked:
    """Unpack the archive at ``path`` into the folder ``into``. Raises UnreadableFile."""
    data = load_bytes(path, limits)
    entries = check_burst(path, data, limits, _BROKEN)
    if not all(each.filename for each in entries):
        raise UnreadableFile(path, _BROKEN)
    entries = [each for each in entries if not each.is_dir()]
    for each in entries:
        if _leads_outside(each):
            raise UnreadableFile(path, _OUTSIDE.format(name=each.filename[:80]))
    files: list[tuple[str, Path]] = []
    refused: list[tuple[str, str]] = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for number, each in enumerate(sorted(entries, key=lambda entry: entry.filename)):
            name = _name(each)
            if PurePosixPath(name).name.startswith((".", "~$")) or "__MACOSX/" in name:
                continue
            try:
                target = _unpack(package, each, into / str(number) / PurePosixPath(name).name)
            except UnreadableFile as error:
                refused.append((name, error.reason))
            else:
                files.append((name, target))
    return Unpacked(tuple(files), tuple(refused))


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of a member; without the mark of UTF-8 it may be UTF-8 all the same."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _leads_outside(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.replace("\\", "/")
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return link or name.startswith("/") or ":" in name or ".." in PurePosixPath(name).parts


def _unpack(package: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> Path:
    if entry.flag_bits & 1:
        raise UnreadableFile(target, _LOCKED)
    if target.name.lower().endswith(_ARCHIVES):
        raise UnreadableFile(target, _NESTED)
    try:
        content = package.read(entry)
    except Exception as error:  # a bad checksum, a method that is not known
        raise UnreadableFile(target, _BROKEN) from error
    if content.startswith(b"PK") and _is_archive(content):
        raise UnreadableFile(target, _NESTED)
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    return target


def _is_archive(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except Exception:
        return False  # for the readers to refuse
    return "[Content_Types].xml" not in names and "mimetype" not in names
