"""The application that the subcommands join, and how it tells of problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from edge_assets.core.settings import MissingSettingError, describe_setting_errors
from edge_assets.core.terminal import Terminal, to_single_line
from edge_assets.local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


out = Terminal()
err = Terminal(stderr=True)


class ErrorReportingGroup(TyperGroup):
    """Turns expected problems into a message and an exit code; the rest are bugs and keep their traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse what is empty, as a variable that the shell does not know leaves it: every name begins and ends so."""
        for before, arg in zip(["", *args], args, strict=False):
            name, _, value = arg.partition("=") if arg.startswith("--") else (before, "", arg)
            if not value.strip() and ("=" in arg or not arg.strip()):
                where = name if name.startswith("-") else "an argument"
                raise typer.BadParameter(f"{where} is empty: give a value, or leave it out", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            problems = list(_expected_problems(error))
            if not problems:
                raise
            for problem, remedy in problems:
                _print_problem(problem, remedy)
        raise typer.Exit(1)


def _expected_problems(error: Exception) -> Iterator[tuple[str, str]]:
    """The problems that an error amounts to, each with its remedy; none where it is a bug."""
    match error:
        case LocalError():
            yield str(error), error.remedy
        case MissingSettingError():
            yield str(error), ""
        case ValidationError():
            for problem in describe_setting_errors(error):
                yield problem, "see .env.example"
        case UnicodeDecodeError() if _was_raised_in("dotenv", error):
            yield ".env is no text in UTF-8", "save it as UTF-8"
        case UnicodeEncodeError():
            yield "what was given holds bytes that are no text in UTF-8", "write it in UTF-8"
        case _:
            yield from _server_problems(error)


def _was_raised_in(package: str, error: Exception) -> bool:
    import traceback

    return any(package in frame.filename for frame in traceback.extract_tb(error.__traceback__))


def _server_problems(error: Exception) -> Iterator[tuple[str, str]]:
    """A server that goes away while it is asked, or that has not been migrated."""
    import psycopg
    import redis

    from edge_assets.local.reach import driver_message
    from edge_assets.store.postgres.schema import NewerSchemaError

    if isinstance(error, NewerSchemaError):
        yield str(error), "run the version of Edge Finder that wrote it, or use another EDGE_HOME or DATABASE_URL"
    elif isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        yield f"this database has not been prepared by this version: {driver_message(error)}", "`edge up` does that"
    elif isinstance(error, psycopg.OperationalError):
        yield f"the database cannot be asked: {driver_message(error)}", "check DATABASE_URL; `edge doctor` tells more"
    elif isinstance(error, redis.RedisError):
        yield f"Redis cannot be asked: {driver_message(error)}", "check REDIS_URL; `edge doctor` tells more"


def _print_problem(problem: str, remedy: str) -> None:
    err.print(problem, style="red", soft_wrap=True)
    if remedy:
        err.print(f"→ {remedy}", soft_wrap=True)


app = typer.Typer(
    cls=ErrorReportingGroup,
    name="edge",
    help="Finds mispriced sports bets: collects odds, prices every outcome, alerts within seconds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def print_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people."""
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(to_single_line, row))
    out.print(table)


def echo_json(answer: Any) -> None:
    """Print an answer for programs."""
    import json

    typer.echo(json.dumps(answer, indent=1))
