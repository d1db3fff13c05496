"""References that are made from the code at every build of the documents, so that they cannot go stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generate import alerts, cli, configuration, data_dictionary

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {
    "configuration": configuration.page,
    "cli": cli.page,
    "alerts": alerts.page,
    "data_dictionary": data_dictionary.page,
}


def write_references(folder: Path) -> None:
    """Write every page into `folder`; Sphinx does not read again what has not changed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        path, text = folder / f"{name}.md", page()
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
