"""Every notebook in docs/ runs unchanged, without error or warning, and reproduces its committed output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.untraced
DOCS = Path(__file__).parents[2] / "docs"
PLOT = "image/png"
PATIENCE = 240
"""Seconds for the start of the kernel and for one cell: no more than a guard on a crowded machine."""


def outputs(notebook: Any) -> list[list[Any]]:
    """What each cell of code has put out."""
    return [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


def plots(notebook: Any) -> list[int]:
    return [sum(PLOT in output.get("data", {}) for output in cell) for cell in outputs(notebook)]


def texts(notebook: Any) -> list[list[Any]]:
    """Everything but the plots, whose bytes differ with the fonts of a machine."""
    return [
        [output.get("text") or {kind: text for kind, text in output.data.items() if kind != PLOT} for output in cell]
        for cell in outputs(notebook)
    ]


def test_there_is_a_notebook() -> None:
    assert list(DOCS.glob("*.ipynb"))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_committed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own assertions hold its text to the figures. After a change: `.venv/bin/jupyter execute --inplace docs/*`."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    committed, fresh = (nbformat.read(path, as_version=4) for _ in range(2))  # type: ignore[no-untyped-call]
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(fresh, timeout=PATIENCE, startup_timeout=PATIENCE, kernel_name="python3", resources=where).execute()
    assert not [output.text for cell in outputs(fresh) for output in cell if output.get("name") == "stderr"]
    assert any(plots(fresh))
    assert plots(fresh) == plots(committed)
    assert texts(fresh) == texts(committed)
