"""The README shows what the program prints, not what it printed once."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from service import cli
from service.workspace import Workspace

README = Path(__file__).parents[1] / "README.md"


def test_the_first_screen_shows_the_two_commands() -> None:
    first = README.read_text(encoding="utf-8").split("## ")[0]
    assert first.index("make demo") < first.index("make test")


@pytest.mark.parametrize("name", ["README.md", "docs/decisions.md", "CONTRIBUTING.md"])
def test_every_link_to_a_file_leads_to_one(name: str) -> None:
    page = README.parent / name
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    files = [each for each in links if "://" not in each]
    assert [each for each in files if not (page.parent / each).exists()] == []


def test_output_shown_is_output_printed(
    sample_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(r"```\n\$ cungcau (.*?)\n(.*?)```", README.read_text("utf-8"), re.S)
    assert block is not None
    printed = StringIO()
    monkeypatch.setattr(cli, "out", Console(file=printed, width=100, markup=False, emoji=False))
    arguments = [*shlex.split(block.group(1)), "--data", str(sample_workspace.folder)]
    cli.app(arguments, standalone_mode=False)
    lines = [line.rstrip() for line in printed.getvalue().rstrip().split("\n")]
    assert lines == block.group(2).rstrip().split("\n")
