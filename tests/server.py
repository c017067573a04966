"""A PostgreSQL server of the tests' own, from the binaries that Debian installs.

One a test process, in a folder that only it uses, reached by a socket in that folder: it needs no
port, and other servers on the machine are not touched. ``initdb`` refuses root, so as root it runs
as ``postgres``.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """The folder of the newest server's programs, or ``None``."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3].zfill(4)
    )
    return found[-1].parent if found else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start a server; yield the URL of its database ``postgres``; stop it."""
    folder = Path(tempfile.mkdtemp(prefix="cungcau-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    control = [*as_user, str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", "-s"]
    settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=40"
    try:
        _run([*as_user, str(programs / "initdb"), "-D", str(folder / "data"), "-U", "cungcau",
              "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])  # fmt: skip
        _run([*control, "-l", str(folder / "log"), "-o", settings, "start"])
        try:
            yield f"postgresql://cungcau@/postgres?host={folder}"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _run(words: list[str]) -> None:
    done = subprocess.run(
        words, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
    )
    assert not done.returncode, done.stderr.decode()
