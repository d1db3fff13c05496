"""The commands of `edge`, from their help."""

from __future__ import annotations

import re

import typer
from typer.cli import get_docs_for_click

from edge_assets.cli import app

EXIT_CODES = """
## Exit codes

0: done, or all is well. 1: something is wrong; the last lines state what, and the remedy. 2: the command line is
invalid. `edge status` exits with 3 if nothing runs.
"""


def page() -> str:
    """The page of the command line."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="edge")
    text = get_docs_for_click(obj=command, ctx=context, name="edge", title="Command line")
    return _essence(text).rstrip() + "\n" + EXIT_CODES


def _essence(text: str) -> str:
    """Without `--help`, which every command has, and without lists of subcommands, whose sections follow anyway."""
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", text)
    text = text.replace("* `--help`: Show this message and exit.\n", "")
    text = re.sub(r"\*\*Options\*\*:\n\n(?!\*)", "", text)
    return re.sub(r"\n{3,}", "\n\n", text)
