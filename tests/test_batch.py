"""The yearly run: repeatable, resumable, honest about what it may take over."""

import datetime as dt
import errno
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook
from small import NEEDS, PRODUCTS, TECHNOLOGIES, lexical, matcher

from corpus.records import Need, Technology
from corpus.store import Store
from matcher import batch, run_files, run_folder
from matcher.batch import Batch
from matcher.match import WORDS_ONLY, Matcher
from matcher.run_basis import Made
from matcher.run_folder import RunFolderError
from matcher.yearly import Run
from service import cli, yearly
from service.workspace import Workspace

MADE = Made({"revision": 15, "digest": "d"}, {"name": "snapshot-1", "corpus": "c"}, "t", {})


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(batch, "SHARD", 2)


def make(folder, found=None, made=MADE, before=None, k=10, fresh=False, tick=lambda *_: None):
    work = Batch(folder, found or lexical(), made, k, before)
    with run_folder.holding(folder, fresh):
        return yearly.finish(work, tick), work.account


def contents(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An unbroken run of the small collection."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "SHARD", 2)
        make(folder)
    return Run.open(folder)


def test_a_run_says_what_the_matcher_says(whole):
    found = lexical()
    assert list(whole.needs) == sorted(each.id for each in NEEDS)
    for key, answered in whole.needs.items():
        answer = found.answer(found.stated(found.needs[key]))
        expected = [
            (each.technology.id, each.label, each.usefulness, each.hit.score, dict(each.hit.parts))
            for each in (*answer.matches, *answer.set_apart)
        ]
        pairs = whole.pairs[key]
        assert expected == [
            (each.technology, each.label, each.usefulness, each.score, dict(each.parts))
            for each in pairs
        ]
        assert answered.need == found.needs[key]
        assert answered.answerable == answer.answerable
        assert all(math.fsum(each.parts.values()) == each.score for each in pairs)
    assert [each.rule for each in whole.pairs["N-2"][-1].breaches] == ["budget"]
    assert whole.needs["N-2"].blocked == 1 and whole.needs["N-2"].gap


def test_a_run_holds_nothing_that_is_under_nda(whole):
    told = whole.technologies["CN-8"]
    assert told == next(each for each in TECHNOLOGIES if each.id == "CN-8").public()
    assert not any(b"BX-77" in data for data in contents(whole.folder).values())
    assert whole.facts["counts"] == {
        "needs": 4, "matches": sum(map(len, whole.pairs.values())), "technologies": 8,
        "products": 3,
        "levels": {"phù hợp": 1, "cần điều chỉnh": 2, "tham khảo": 1, "chưa tìm thấy": 0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], "chưa tìm thấy"),
        ([("tham khảo", "other", False)], "chưa tìm thấy"),
        ([("tham khảo", "near", False)], "tham khảo"),
        ([("phù hợp", "same", True), ("tham khảo", "same", False)], "tham khảo"),
        ([("tham khảo", "same", False), ("cần điều chỉnh", "other", False)], "cần điều chỉnh"),
    ],
)
def test_the_level_is_that_of_the_best_that_may_be_used(labels, expected):
    assert run_files.level(labels) == expected


class Killed(BaseException):
    """Stands for a process that is gone."""


def steps(monkeypatch, at, error):
    """Fail with ``error`` at the ``at``-th of all moments at which a file is opened or renamed."""
    seen = [0]

    def counted(real):
        def called(*args, **kwargs):
            seen[0] += 1
            if seen[0] == at:
                raise error
            return real(*args, **kwargs)

        return called

    monkeypatch.setattr(run_files.tempfile, "mkstemp", counted(run_files.tempfile.mkstemp))
    monkeypatch.setattr(run_files.os, "fsync", counted(run_files.os.fsync))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(batch.shutil, "rmtree", counted(batch.shutil.rmtree))
    return seen


def test_cut_short_at_any_write_it_goes_on_to_the_same_bytes(whole, tmp_path, monkeypatch):
    expected, at = contents(whole.folder), 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        error = Killed() if at % 2 else OSError(errno.ENOSPC, "No space left on device")
        with monkeypatch.context() as patch:
            seen = steps(patch, at, error)
            try:
                make(folder)
            except (Killed, OSError) as stopped:
                assert stopped is error
        if seen[0] < at:
            break
        half = {name for name in contents(folder) if not name.endswith((".parquet", ".json",
                ".xlsx", ".lock"))}  # fmt: skip
        assert half == set(), "a file half-written was left behind"
        (folder / ".run.json.abc").write_bytes(b"half")  # as SIGKILL leaves them
        (folder / ".ket-qua.xlsx.abc").write_bytes(b"half")
        make(folder)
        assert contents(folder) == expected, at
        shutil.rmtree(folder)
    assert at > 30  # tables, shards, run, workbook: three moments each


def test_what_is_finished_is_not_worked_out_again(whole, tmp_path):
    def stop(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "x", tick=stop)
    _, account = make(tmp_path / "x")
    assert (account.there, account.answered) == (2, 2)
    assert contents(tmp_path / "x") == contents(whole.folder)
    _, account = make(tmp_path / "x")
    assert (account.there, account.answered) == (4, 0)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"made": replace(MADE, data={"revision": 16, "digest": "e"})}, "dữ liệu (digest trước d"),
        ({"made": replace(MADE, index={"name": "snapshot-2"})}, "chỉ mục"),
        ({"made": replace(MADE, tables="u")}, "bảng từ vựng"),
        ({"made": replace(MADE, packages={"numpy": "9"})}, "phiên bản chương trình"),
        ({"found": replace(lexical(), model="khác")}, "mô hình"),
        ({"k": 3}, "thiết lập (k trước 10, nay 3)"),
    ],
    ids=["data", "index", "tables", "packages", "model", "k"],
)
def test_a_folder_of_another_run_is_refused(whole, tmp_path, other, told):
    for name in ("begun", "done"):
        folder = tmp_path / name
        tick = {"begun": stop_at_once, "done": lambda *_: None}[name]
        try:
            make(folder, tick=tick)
        except KeyboardInterrupt:
            assert not (folder / "run.json").exists()
        before = contents(folder)
        with pytest.raises(RunFolderError) as refused:
            make(folder, **other)
        assert told in str(refused.value)
        assert "--fresh" in str(refused.value)
        assert contents(folder) == before
    make(folder, **other, fresh=True)


def stop_at_once(*_):
    raise KeyboardInterrupt


def test_folders_that_cannot_be_used_are_told_of(tmp_path, whole):
    (tmp_path / "letter.docx").write_bytes(b"x")
    with pytest.raises(RunFolderError, match=r"không phải một đợt chạy \(có letter.docx\)"):
        make(tmp_path, fresh=True)
    assert (tmp_path / "letter.docx").exists()
    with pytest.raises(RunFolderError, match="chưa có nhu cầu"):
        make(tmp_path / "none", matcher(needs=()))
    with pytest.raises(RunFolderError, match="không có đợt chạy"):
        Run.open(tmp_path)
    shutil.copytree(whole.folder, tmp_path / "changed")
    with (tmp_path / "changed" / "matches.parquet").open("ab") as file:
        file.write(b" ")
    with pytest.raises(RunFolderError, match=r"matches.parquet thiếu hoặc đã bị sửa"):
        Run.open(tmp_path / "changed")
    with run_folder.holding(tmp_path / "changed"):
        assert run_folder.held(tmp_path / "changed")
        with pytest.raises(RunFolderError, match="một tiến trình khác đang ghi"):
            make(tmp_path / "changed")


def test_an_encoder_that_fails_stops_the_run(tmp_path, monkeypatch):
    found = lexical()
    broken = replace(found.answer(found.stated(NEEDS[0])), notices=(WORDS_ONLY,))
    monkeypatch.setattr(
        Matcher, "answers", lambda _, queries, *__, **___: (broken for _ in queries)
    )
    with pytest.raises(RunFolderError, match="N-1"):
        make(tmp_path / "x")


@contextmanager
def helping(folder, mark, dies):
    """Open the run in a helper; ``mark`` is laid when its shard is made, or lost."""
    batch.SHARD = 2  # the helper's own: it inherits nothing
    work = Batch(folder, lexical(), MADE)

    def help_(shards, made):
        if dies:
            next(shards)
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        work.help(shards, lambda needs: (made(needs), mark.touch()))

    yield SimpleNamespace(help=help_)


@pytest.mark.parametrize("dies", [False, True])
def test_helpers_make_the_same_bytes_and_what_one_loses_is_made(whole, tmp_path, monkeypatch, dies):
    monkeypatch.setattr(batch, "WORTH", 1)
    folder, mark, told = tmp_path / "run", tmp_path / "mark", []

    def wait_for_the_helper(*done):
        told.append(done)
        until = time.monotonic() + 60
        while len(told) > 1 and not mark.exists():  # this process has begun its first shard
            assert time.monotonic() < until, "no helper came"
            time.sleep(0.02)

    work = Batch(folder, lexical(), MADE, processes=2, again=partial(helping, folder, mark, dies))
    with run_folder.holding(folder):
        yearly.finish(work, wait_for_the_helper)
    assert contents(folder) == contents(whole.folder)
    assert work.account.answered == 4 and told[-1] == (4, 4)
    assert told == sorted(told)


def test_who_helps_a_run_of_other_data_is_refused(tmp_path):
    other = Batch(tmp_path, lexical(), replace(MADE, tables="u"))
    with run_folder.holding(tmp_path):
        Batch(tmp_path, lexical(), MADE)._started()
        with pytest.raises(RunFolderError, match="bảng từ vựng"):
            other.help(iter([0]), print)
    assert not list((tmp_path / "parts").iterdir())


NEW = Need(id="N-0", product="SP-2", text="Sấy dẻo khoanh khóm")
CHANGES = {
    "nothing": ({}, 4),
    "a need more": ({"needs": (*NEEDS, NEW)}, 4),
    "a need less": ({"needs": NEEDS[1:]}, 3),
    "a need changed": ({"needs": (NEEDS[0].model_copy(update={"budget": 90.0}), *NEEDS[1:])}, 3),
    "its source changed": ({"needs": (NEEDS[0].model_copy(update={"source": "b"}), *NEEDS[1:])}, 4),
    "a product changed": (
        {"products": (PRODUCTS[0].model_copy(update={"aliases": ()}), *PRODUCTS[1:])},
        2,
    ),
    "a technology more": (
        {"technologies": (*TECHNOLOGIES, Technology(id="CN-9", name="Sấy khóm dẻo"))},
        0,
    ),
    "a price": (
        {
            "technologies": (
                TECHNOLOGIES[0].model_copy(update={"cost_from": 9.0}),
                *TECHNOLOGIES[1:],
            )
        },
        0,
    ),
    "a later day": ({"as_of": dt.date(2026, 12, 31)}, 4),
    "another year": ({"as_of": dt.date(2027, 1, 1)}, 0),
}


@pytest.mark.parametrize(("change", "taken"), CHANGES.values(), ids=CHANGES)
def test_what_changed_only_equals_the_full_run(whole, tmp_path, change, taken):
    found = matcher(**change)
    made = replace(MADE, data={"revision": 99, "digest": "z"})
    full, _ = make(tmp_path / "full", found, made)
    _, account = make(tmp_path / "since", found, made, before=whole)
    assert contents(tmp_path / "since") == contents(full.folder)
    assert account.taken_over == taken
    assert account.taken_over + account.answered == len(full.needs)


def test_a_need_without_a_known_product_is_matched_too(tmp_path):
    stray = Need(id="N-9", product="SP-404", text="Tưới tiết kiệm nước cho cây ăn quả")
    run, _ = make(tmp_path / "x", matcher(needs=(stray,)))
    assert pq.read_table(run.folder / "needs.parquet")["product"].to_pylist() == ["SP-404"]
    assert run.pairs["N-9"][0].technology == "CN-6"


def test_the_workbook_is_watermarked_and_runs_no_formula(tmp_path):
    evil = NEEDS[3].model_copy(update={"text": "=1+1 tưới tiết kiệm nước", "illustrative": True})
    run, _ = make(tmp_path / "x", matcher(needs=(evil, *NEEDS[:3])))
    book = load_workbook(run.folder / "ket-qua.xlsx")
    assert book.sheetnames == [
        "Tóm tắt", "Nhu cầu", "Kết nối", "Không đạt điều kiện", "Chưa có lời đáp",
    ]  # fmt: skip
    for sheet in book.worksheets:
        assert sheet["A2"].value.startswith("DỮ LIỆU MINH HỌA")
        assert sheet.freeze_panes == "A4" and sheet.auto_filter.ref.startswith("A3:")
        assert "MINH HỌA" in sheet.oddHeader.center.text
    cell = next(row[2] for row in book["Nhu cầu"].iter_rows(4) if row[0].value == "N-4")
    assert (cell.value, cell.data_type, cell.quotePrefix) == (evil.text, "s", True)
    marks = {row[0]: row[-1] for row in book["Nhu cầu"].iter_rows(4, values_only=True)}
    assert marks["N-4"] == "dữ liệu minh họa" and marks["N-1"] is None
    assert book.properties.created == dt.datetime(2026, 11, 23)


def test_the_command_makes_a_run_and_goes_on_with_it(tmp_path, capsys, monkeypatch):
    data, folder = tmp_path / "data", tmp_path / "run"
    with Store.create(data) as store:
        store.save([*PRODUCTS, *TECHNOLOGIES, *NEEDS])
    Workspace(data).build(None)
    words = ["batch", "--data", str(data), "--out", str(folder)]
    with monkeypatch.context() as patch:
        patch.setattr(Batch, "_finished", stop_at_once)
        assert cut_short([*words, "-k", "3", "--as-of", "2026-11-23"]) == 130
    assert "chạy lại cùng lệnh" in capsys.readouterr().err
    cli.app(words, standalone_mode=False)  # day and k are those of the run begun
    assert "Tính mới 0, đã có sẵn 4" in capsys.readouterr().out
    assert Run.open(folder).facts["made_from"]["settings"]["as_of"] == "2026-11-23"
    calls = run_folder.read_json(folder / "timing.json")["calls"]
    assert [(each["answered"], each["there"]) for each in calls] == [(4, 0), (0, 4)]
    with Store.open(data) as store:
        store.save([TECHNOLOGIES[0].model_copy(update={"cost_from": 9.0})])
    assert cut_short(words) == 3
    assert "cungcau index" in capsys.readouterr().err


def cut_short(words):
    with pytest.raises(SystemExit) as ended, cli.told_failures():
        cli.app(words, standalone_mode=True)
    return ended.value.code


@pytest.mark.slow
def test_killed_processes_leave_what_the_next_goes_on_with():
    words = [sys.executable, "-m", "benchmarks.kills", "--moments", "3"]
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    assert told.stdout.startswith("OK: 3 kills"), told.stdout + told.stderr
