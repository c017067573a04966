"""Fixtures that several test files share."""

from __future__ import annotations

import datetime as dt
import fcntl
import functools
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import small
import sqlalchemy as sa

from corpus.lexicon import Lexicon
from corpus.places import Places
from corpus.records import Technology
from corpus.store import Store
from indexes.encoders import E5
from matcher.match import Matcher
from service import loading
from service.workspace import Workspace
from tests import server

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


@pytest.fixture(scope="module")
def tables_read_once() -> Iterator[None]:
    """Read the program's tables once, not whenever a matcher is opened or a file looked at."""
    with pytest.MonkeyPatch.context() as patch:
        lexicon, places = functools.cache(Lexicon.load), functools.cache(Places.load)
        patch.setattr(Workspace, "lexicon", lambda _: lexicon())
        patch.setattr(Workspace, "places", lambda _: places())
        yield


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with the small collection, indexed by words alone: copy it to change it."""
    made = Workspace(tmp_path_factory.mktemp("small") / "data")
    made.folder.mkdir()
    made.copy_tables()
    small.write_tables(made.tables)
    with Store.create(made.folder) as store:
        store.save([*small.PRODUCTS, *small.TECHNOLOGIES, *small.NEEDS])
    made.build(None)
    return made.folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server's database that this test process alone uses."""
    programs = server.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    with server.running(programs) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a store of one test may be: an empty folder, then an empty database."""
    if request.param == "sqlite":
        yield tmp_path / "kho"
        return
    url = sa.make_url(request.getfixturevalue("postgresql")).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
