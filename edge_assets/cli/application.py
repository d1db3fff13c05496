"""The application that the subcommands join, and how it tells of problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from typer.core import TyperGroup

from edge_assets.local.errors import LocalError
from edge_assets.settings import MissingSettingError

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON = Annotated[bool, typer.Option("--json", help="For programs.")]
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


class Telling(TyperGroup):
    """Turns expected problems into a message and an exit code; the rest are bugs and keep their traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except LocalError as error:
            _tell(str(error), error.remedy)
        except MissingSettingError as error:
            _tell(str(error), "")
        except ValidationError as error:  # its own text would repeat the value, which may be a secret
            for problem in error.errors(include_input=False, include_url=False):
                _tell(f"{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", "see .env.example")
        raise typer.Exit(1)


def _tell(problem: str, remedy: str) -> None:
    err.print(problem, style="red", markup=False, soft_wrap=True)
    if remedy:
        err.print(f"→ {remedy}", markup=False, soft_wrap=True)


app = typer.Typer(
    cls=Telling,
    name="edge",
    help="Finds mispriced sports bets: collects odds, prices every outcome, alerts within seconds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people."""
    from rich.table import Table

    shown = Table(*header, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*row)
    out.print(shown)


def echo_json(answer: Any) -> None:
    """Print an answer for programs."""
    import json

    typer.echo(json.dumps(answer, indent=1))
