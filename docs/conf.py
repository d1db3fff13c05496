"""Sphinx: the pages of this folder, and the references that are made from the code at every build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from docs.generate import write_references  # noqa: E402 - Sphinx runs this file outside the package

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Edge Finder"
author = "the Edge Finder contributors"
extensions = ["myst_nb"]
exclude_patterns = ["_build", "generate"]
nitpicky = True

html_theme = "furo"
html_title = project
html_favicon = "../serving/board/static/icon.svg"


myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"
"""The tests execute the notebooks and compare them with what is committed."""


def setup(app: Sphinx) -> None:
    """Write the references before Sphinx collects the pages."""
    app.connect("builder-inited", lambda app: write_references(app.srcdir / "reference"))
