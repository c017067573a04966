"""The notebooks run from top to bottom, say nothing on stderr and show something."""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# matplotlib says this once on every new machine
HARMLESS = re.compile(r"Matplotlib is building the font cache; this may take a moment\.\n?")


def images(notebook: nbformat.NotebookNode) -> int:
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", ()))
    return sum("image/png" in output.get("data", {}) for output in outputs)


def complaints(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    streams = [output for output in outputs if output.output_type == "stream"]
    return HARMLESS.sub("", "".join(each.text for each in streams if each.name == "stderr"))


def test_there_are_notebooks():
    names = [path.name for path in NOTEBOOKS]
    assert names == [
        "01_corpus.ipynb",
        "02_indexes.ipynb",
        "03_matching.ipynb",
        "04_evaluation.ipynb",
        "05_planning.ipynb",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_small_with_its_plots(path):
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < 1_500_000
    assert images(notebook) >= 3
    assert complaints(notebook) == ""


@pytest.mark.slow
def test_the_notebooks_run_in_order(tmp_path, monkeypatch, sample_workspace):
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CUNGCAU_DATA", str(sample_workspace.folder))  # its vectors, kept by pytest
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)  # shown: warnings about the notebook's code
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))  # no one's kernels or settings
    for path in sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
        at = {"metadata": {"path": str(folder)}}
        # A guard against hanging: the first run encodes needs, and others may use the machine
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=at).execute()
        assert images(notebook) >= 3, path.name
        assert complaints(notebook) == "", path.name
