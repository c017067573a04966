"""Fixtures that several test files share."""

from __future__ import annotations

import datetime as dt
import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.records import Technology
from indexes.encoders import E5
from matcher.match import Matcher
from service import loading
from service.workspace import Workspace

AS_OF = dt.date(2026, 11, 23)


@pytest.fixture(scope="session")
def sample_workspace(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Workspace:
    """A work folder with the sample records, indexed with E5.

    Encoding takes a minute: vectors are kept by content in pytest's cache, and the workers of one
    run take turns, so that only the first run of the first worker pays.
    """
    space = Workspace(tmp_path_factory.mktemp("sample"))
    loading.load(loading.sample_files(), space.folder, space.lexicon())
    shared = Path(pytestconfig.cache.mkdir("cungcau-vectors"))
    (space.folder / "cache").symlink_to(shared)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        space.build(E5())
    return space


@pytest.fixture(scope="session")
def sample_matcher(sample_workspace: Workspace) -> Iterator[Matcher]:
    """A matcher over the sample records, as of one fixed day."""
    with sample_workspace.open(AS_OF) as opened:
        assert opened.notices == ()
        assert len(opened.matcher.technologies) == len(_technologies(opened.matcher))
        yield opened.matcher


def _technologies(matcher: Matcher) -> tuple[Technology, ...]:
    return tuple(each for each in matcher.technologies.values() if each.illustrative)
