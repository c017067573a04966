"""Whoever draws up a plan and is killed leaves the old one, the new one, or one told unwhole."""

import multiprocessing
import signal

import pytest
from putter import put_and_die

from service.plan_files import DATA, FRESH, REPORT, WRITTEN, put

NAMES = (*WRITTEN, REPORT, DATA)
OLD, NEW = ({name: f"{name} {age}".encode() * 99 for name in NAMES} for age in ("cũ", "mới"))


@pytest.fixture(scope="module")
def forked():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["putter", "service.plan_files"])
    return context


def contents(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


@pytest.mark.parametrize("before", [OLD, {}], ids=["over a plan", "in a new folder"])
def test_killed_before_any_step_a_plan_is_old_or_new_or_not_whole(forked, tmp_path, before):
    died, step = 0, 0
    while True:
        folder = tmp_path / str(step)
        if before:
            put(before, folder)
        child = forked.Process(target=put_and_die, args=(folder, NEW, step))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        found = contents(folder) if folder.is_dir() else {}
        assert found in (before, NEW) or DATA not in found  # no plan.json: it is not whole
        put(NEW, folder)  # the same call again
        assert contents(folder) == NEW
        assert not (folder / FRESH).exists()
        died, step = died + 1, step + 1
    assert died > 2 * len(NAMES)  # every file is written aside, then moved


def test_a_full_disk_leaves_the_old_plan(tmp_path, monkeypatch):
    put(OLD, tmp_path)

    def full(path, data):
        if path.name == DATA:
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("service.plan_files.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        put(NEW, tmp_path)
    assert contents(tmp_path) == OLD
    assert not (tmp_path / FRESH).exists()
