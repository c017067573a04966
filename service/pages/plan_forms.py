"""What planners type on the pages of the plan, read: a new plan, and a word about one line."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from starlette.datastructures import FormData, UploadFile

from corpus.cells import CellError, parse_number
from corpus.files import UnreadableFile
from corpus.places import Places
from corpus.text import normalise
from matcher.planning.criteria import ByPeople, Criterion, Mark
from matcher.planning.rules import Override, RuleError
from service.person import Person
from service.plan_drawings import Asked
from service.rules_file import DEFAULT, RulesFile, read_rules
from service.uploads import UploadError, clean_name

LONGEST: Final = 500  # characters of a reason
RICHEST: Final = 1e9  # million VND


class FormError(ValueError):
    """What was typed cannot be meant; the message says what and what to do."""


def asked_of(form: FormData, places: Places) -> Asked:
    """Return year, money and province of a new plan.

    Raises:
        FormError: one of them cannot be meant.
    """
    year = text(form, "nam")
    if not (year.isdecimal() and 2000 <= int(year) <= 2100):
        raise FormError(f"Năm kế hoạch: “{year}” không phải một năm từ 2000 đến 2100.")
    budget = _number(form, "nsnn", "NSNN", RICHEST)
    province = text(form, "tinh")
    if province and places.province(province) is None:
        raise FormError(f"Tỉnh: không có tỉnh “{province}”; để trống nếu xét phiếu của mọi tỉnh.")
    return Asked(int(year), budget, province, did="lập mới")


def rules_of(form: FormData) -> RulesFile:
    """Return the rules of the uploaded workbook; without one, those by default.

    Raises:
        FormError: it is no workbook of rules; the message gives sheet, row and column.
    """
    sent = form.get("luat")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return DEFAULT
    if not sent.file.read(2).startswith(b"PK"):
        raise FormError(f"Tệp luật: {sent.filename} không phải bảng tính XLSX; tải mẫu về để điền.")
    sent.file.seek(0)
    try:
        name = clean_name(sent.filename)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            with path.open("wb") as file:
                shutil.copyfileobj(sent.file, file)
            return read_rules(path)
    except UnreadableFile as error:
        raise FormError(f"Tệp luật: {sent.filename}: {error.reason}.") from error
    except (UploadError, RuleError) as error:
        raise FormError(f"Tệp luật: {error}.") from error


@dataclass(frozen=True)
class Word:
    """What somebody says about one line: the rules with it, and the same in words."""

    said: RulesFile
    did: str


def word_of(form: FormData, said: RulesFile, person: Person) -> Word:
    """Return ``said`` with what the form says.

    Raises:
        FormError: something is missing, or there is nothing to take back.
    """
    speak = WORDS.get(text(form, "viec"))
    if speak is None:
        raise FormError("Chọn một việc: ghim, loại, chấm điểm, hoặc rút lại.")
    return speak(form, said, person)


def _override(pinned: bool) -> Callable[[FormData, RulesFile, Person], Word]:
    def speak(form: FormData, said: RulesFile, person: Person) -> Word:
        told = Override(_line(form), pinned, _reason(form), person.name or person.login)
        rest = tuple(each for each in said.overrides if each.id != told.id)
        return Word(replace(said, overrides=(*rest, told)), told.words)

    return speak


def _free(form: FormData, said: RulesFile, person: Person) -> Word:
    key = _line(form)
    rest = tuple(each for each in said.overrides if each.id != key)
    if rest == said.overrides:
        raise FormError(f"{key}: không có ghim hay loại nào để rút.")
    return Word(replace(said, overrides=rest), f"rút ghim, loại của {key} ({person.name})")


def _mark(form: FormData, said: RulesFile, person: Person) -> Word:
    key, criterion = _line(form), _criterion(form)
    value = _number(form, "diem", "Điểm", 1)
    mark = Mark(criterion, value, _reason(form), person.name or person.login)
    told = f"chấm {key}, {criterion}: {text(form, 'diem')} ({mark.by}: {mark.evidence})"
    return Word(replace(said, people=(*_others(said, key, criterion), ByPeople(key, mark))), told)


def _unmark(form: FormData, said: RulesFile, person: Person) -> Word:
    key, criterion = _line(form), _criterion(form)
    rest = _others(said, key, criterion)
    if rest == said.people:
        raise FormError(f"{key}: chưa ai chấm {criterion}.")
    return Word(replace(said, people=rest), f"rút điểm {criterion} của {key} ({person.name})")


WORDS: Final[Mapping[str, Callable[[FormData, RulesFile, Person], Word]]] = {
    "ghim": _override(True),
    "loai": _override(False),
    "rut": _free,
    "cham": _mark,
    "rut-diem": _unmark,
}


def _others(said: RulesFile, key: str, criterion: Criterion) -> tuple[ByPeople, ...]:
    return tuple(each for each in said.people if (each.id, each.mark.criterion) != (key, criterion))


def text(form: FormData, name: str) -> str:
    """Return one field as one line of clean text; "" where it was not sent."""
    value = form.get(name)
    return " ".join(normalise(value).split()) if isinstance(value, str) else ""


def _line(form: FormData) -> str:
    key = text(form, "dong")
    if not key:
        raise FormError("Thiếu mã của dòng.")
    return key


def _reason(form: FormData) -> str:
    reason = text(form, "ly_do")
    if not reason:
        raise FormError("Cần ghi lý do: người xem lại sau này phải biết vì sao.")
    if len(reason) > LONGEST:
        raise FormError(f"Lý do dài quá {LONGEST} ký tự.")
    return reason


def _criterion(form: FormData) -> Criterion:
    try:
        return Criterion(text(form, "tieu_chi"))
    except ValueError:
        raise FormError("Chọn một tiêu chí trong danh sách.") from None


def _number(form: FormData, name: str, told: str, most: float) -> float:
    typed = text(form, name)
    try:
        value = parse_number(typed)
    except CellError as error:
        raise FormError(f"{told}: “{typed}” không đọc được ({error}).") from None
    if not 0 <= value <= most:
        limit = f"từ 0 đến {most:g}" if most <= 1 else "không âm và không quá lớn"
        raise FormError(f"{told}: “{typed}” phải {limit}.")
    return value
