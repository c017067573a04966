"""Every reader of documents on files that were damaged at random: read or refused, never broken.

In the suite a fixed number of files; ``CUNGCAU_FUZZ_SECONDS=600`` goes on for so long, from a seed
that it prints.
"""

import io
import json
import os
import random
import time
import warnings

import openpyxl
import papers
import pytest

from corpus import archives
from corpus.documents import read_document
from corpus.files import Limits, UnreadableFile
from corpus.readers import read as read_rows
from corpus.reading import Content, read_content
from corpus.tables import read_tables

EACH = 25  # damaged files of each format in the suite
SLOW = 20  # seconds of processor time that no small file may take
LIMITS = Limits(file_bytes=2**20, unpacked_bytes=2**22)
TABLES = {"xlsx", "csv", "jsonl"}
ROWS = [["Mã", "Tên công nghệ", "Tỉnh"], ["CN-1", "Sấy vải", "Bắc Giang"]]
FORM = "Phiếu nhu cầu\n1. Sản phẩm: Vải thiều\n2. Nội dung: Cần sấy giữ màu\n"


def workbook():
    """A small workbook."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in ROWS:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


JSONL = '{"id": "CN-1", "name": "Sấy vải", "extra": {"a": 1}}\n{"id": "CN-2", "cost_from": 1e400}\n'
COLUMNS = [
    (50 + 150 * column, 700 - 25 * line, text)
    for line, row in enumerate([*ROWS, ["CN-2", "Máy tách hạt na", "An Giang"]])
    for column, text in enumerate(row)
]
SEEDS = {
    "columns.pdf": papers.pdf(COLUMNS, COLUMNS[3:]),
    "pdf": papers.pdf([(50, 800, "Phiếu đề xuất"), *papers.ruled(50, 700, [90, 90, 90], ROWS)]),
    "docx": papers.docx(*FORM.splitlines(), [[("Mã", 2, "restart"), "Tên"], ["CN-1", "Sấy", "x"]]),
    "doc": papers.doc(FORM.replace("\n", "\r") + "Mã\x07Tên\x07\x07CN-1\x07Sấy\x07\x07\r"),
    "xls": papers.xls([["Ma", "Ten"], ["CN-1", 3.0]]),
    "rtf": papers.rtf(FORM) + rb"\trowd\pard\intbl a\cell b\cell\row\pard\par}",
    "html": f"<body><p>{FORM}<table><tr><td rowspan=2>a<td colspan=3>b<tr><td>c</table>".encode(),
    "txt": (FORM * 3 + "Vùng vải  còn thiếu công nghệ sấy.\fC«ng nghÖ\n").encode(),
    "xlsx": workbook(),
    "csv": 'Mã;Tên công nghệ;Tỉnh\nCN-1;"Sấy\nvải";Bắc Giang\n'.encode(),
    "jsonl": JSONL.encode(),
    "zip": papers.zipped({"a/b.txt": FORM, "c.docx": papers.docx("xin chào")}),
}


def damaged(random_, data):
    """One to five wounds: bytes changed, taken out, repeated, numbers made huge, the end lost."""
    data = bytearray(data)
    for _ in range(random_.randint(1, 5)):
        at = random_.randrange(len(data)) if data else 0
        size = random_.choice([1, 1, 2, 4, 16, 200])
        wound = random_.randrange(6)
        if wound == 0:
            data[at : at + size] = random_.randbytes(size)
        elif wound == 1:
            del data[at : at + size]
        elif wound == 2:
            data[at:at] = data[at : at + size] * random_.choice([1, 3, 50])
        elif wound == 3:
            data[at : at + 4] = random_.choice([b"\xff\xff\xff\x7f", b"\0\0\0\0", b"9999"])
        elif wound == 4:
            del data[at:]
        elif data:
            data[at] ^= 1 << random_.randrange(8)
    return bytes(data)


def read(path, name, data):
    path.write_bytes(data)
    if name == "zip":
        archives.unpack(path, path.with_suffix(f".{time.monotonic_ns()}"), LIMITS)
        return
    if name in TABLES:
        tables = read_tables(path, LIMITS)
        found = read_rows([path], opener=lambda _: tables)
        counts = [(each.rows, each.loaded, each.repeated, each.rejected) for each in found.counts]
        assert all(rows == loaded + again + refused for rows, loaded, again, refused in counts)
        return
    document = read_document(path, LIMITS)
    content = read_content(document, path.name)
    assert Content.of_json(json.loads(json.dumps(content.to_json()))) == content
    if content.running:
        assert list(content.running.starts) == sorted(content.running.starts)


def attempt(path, name, seed):
    data = damaged(random.Random(f"{name} {seed}"), SEEDS[name])
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parsers tell of damage so
            read(path, name, data)
    except UnreadableFile as error:
        assert error.reason
    except Exception as error:
        raise AssertionError(f"{name}, seed {seed}: {error!r}") from error
    assert time.process_time() - begun < SLOW, f"{name}, seed {seed} is slow"


@pytest.mark.parametrize("name", SEEDS)
def test_what_is_whole_is_read(name, tmp_path):
    read(tmp_path / f"tep.{name}", name, SEEDS[name])


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files_are_read_or_refused(name, tmp_path):
    for seed in range(EACH):
        attempt(tmp_path / f"tep.{name}", name, seed)


@pytest.mark.skipif("CUNGCAU_FUZZ_SECONDS" not in os.environ, reason="only when asked for")
def test_for_a_long_time(tmp_path):
    until = time.monotonic() + float(os.environ["CUNGCAU_FUZZ_SECONDS"])
    first = seed = random.SystemRandom().randrange(10**9)
    while time.monotonic() < until:
        seed += 1
        for name in SEEDS:
            attempt(tmp_path / f"tep.{name}", name, seed)
    print(f"{seed - first} damaged files of each format, seeds {first + 1}–{seed}")
