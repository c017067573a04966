"""The plan of the house, kept: who imports whom, what a package has, what no file may name."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("corpus", "indexes", "matcher", "service")  # each may import itself and those before it
GUESTS = ("benchmarks", "notebooks", "tests")  # may import any room; no room imports them
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

# A folder of the machine this was written on, and hosts of package registries. In brackets, so that
# these lines do not match themselves.
NOT_TO_NAME = re.compile(
    rb"(?<![\w.)}\]])[/]work/|pypi[.]org|pythonhosted[.]org|npmjs[.]org|proxy[.]golang[.]org"
)


def imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that ``source``, a module of ``package``, imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def forbidden(source: str, package: str) -> list[str]:
    """Imports against the one direction, as ``line: module``."""
    room = package.partition(".")[0]
    closed = {*ROOMS[ROOMS.index(room) + 1 :], *GUESTS}
    found = {
        (line, name.partition(".")[0])
        for line, name in imports(source, package)
        if name.partition(".")[0] in closed
    }
    return [f"{line}: {name}" for line, name in sorted(found)]


def package_of(path: Path) -> str:
    return ".".join(path.parent.relative_to(ROOT).parts)


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import corpus.text\nfrom indexes import bm25", "matcher", []),
        ("from . import text\nfrom .records import Need", "corpus", []),
        ("import numpy, service.cli", "matcher", ["1: service"]),
        ("def f():\n    from matcher.fusion import fuse", "indexes", ["2: matcher"]),
        ("from indexes import bm25 as b", "corpus.migrations", ["1: indexes"]),
        ("from tests import test_layout", "service", ["1: tests"]),
    ],
)
def test_the_import_check_knows_both_directions(
    source: str, package: str, expected: list[str]
) -> None:
    assert forbidden(source, package) == expected


def test_imports_point_one_way() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{found}"
        for path in MODULES
        for found in forbidden(path.read_text("utf-8"), package_of(path))
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_package_says_why_it_is_there_and_is_typed(room: str) -> None:
    start = ROOT / room / "__init__.py"
    assert start.is_file()
    assert ast.get_docstring(ast.parse(start.read_text("utf-8")))
    assert (ROOT / room / "py.typed").is_file()


def test_every_module_says_why() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_a_helper_lives_where_its_noun_lives() -> None:
    drawers = {"utils", "util", "core", "helpers"}
    named = [path for path in MODULES if drawers & {path.stem, *path.relative_to(ROOT).parts}]
    assert named == []


def test_every_package_is_listed_for_the_wheel() -> None:
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {package_of(path) for path in MODULES}


def test_no_file_names_this_workplace_or_a_registry() -> None:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip(f"not a git checkout: {listing.stderr.decode().strip()}")
    files = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    naming = [
        f"{path.relative_to(ROOT)}: {found.group().decode()}"
        for path in files
        if path.is_file() and (found := NOT_TO_NAME.search(path.read_bytes()))
    ]
    assert naming == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"open('/" + b"work/shared/x')", True),
        (b"see https://py" + b"pi.org/simple", True),
        (b"--work DIR", False),
        (b"Path(f'{tmp}/" + b"work/x')", False),
        (b"docs/field" + b"work/a.md, ./" + b"work/b", False),
    ],
)
def test_the_address_check_knows_both_sides(text: bytes, named: bool) -> None:
    assert bool(NOT_TO_NAME.search(text)) is named


def closure(requirements: list[str]) -> set[str]:
    """Names of all that installing ``requirements`` brings, read from what is installed here."""
    todo = [Requirement(text) for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted = todo.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = [Requirement(text) for text in distribution(wanted.name).requires or []]
        except PackageNotFoundError:
            pytest.fail(f"{wanted} is not installed: `make check` installs the dev extra")
        extras = ["", *sorted(wanted.extras)]
        todo += [
            need
            for need in needs
            if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras)
        ]
    return {name for name, _ in seen}


def test_the_constraints_pin_all_that_is_installed() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    names = [canonicalize_name(pin.partition("==")[0]) for pin in pins]
    assert names == sorted(set(names))
    project = PROJECT["project"]
    needed = closure([*project["dependencies"], *project["optional-dependencies"]["dev"]])
    assert needed - set(names) == set()


def test_a_search_does_not_wait_for_what_only_other_commands_need():
    others = {"fastapi", "docx", "scipy.sparse", "service.loading", "service.desk"}
    code = "import service.cli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert others.isdisjoint(done.stdout.split())
