"""The application that the subcommands join, and how it reports errors."""

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


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


out = Terminal()
err = Terminal(stderr=True)


class ErrorReportingGroup(TyperGroup):
    """Turns expected errors into a message and exit code 1; others are bugs and keep their traceback."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reject empty values, as an unset shell variable leaves them: as a filter, they would match everything."""
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
    """The problems behind an error, each with its remedy; none if it is a bug."""
    match error:
        case LocalError():
            yield str(error), error.remedy
        case MissingSettingError():
            yield str(error), ""
        case ValidationError():
            for problem in describe_setting_errors(error):
                yield problem, "see .env.example"
        case UnicodeDecodeError() if _was_raised_in("dotenv", error):
            yield ".env is not valid UTF-8", "save it as UTF-8"
        case UnicodeEncodeError():
            yield "an argument is not valid UTF-8", "use UTF-8"
        case _:
            yield from _server_problems(error)


def _was_raised_in(package: str, error: Exception) -> bool:
    import traceback

    return any(package in frame.filename for frame in traceback.extract_tb(error.__traceback__))


def _server_problems(error: Exception) -> Iterator[tuple[str, str]]:
    """A server that fails during a query, or a database that has not been migrated."""
    import psycopg
    import redis

    from edge_assets.local.external_servers import driver_message
    from edge_assets.store.postgres.schema import NewerSchemaError

    if isinstance(error, NewerSchemaError):
        yield str(error), "run the version of Edge Finder that wrote it, or use another EDGE_HOME or DATABASE_URL"
    elif isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        yield f"the database schema does not match this version: {driver_message(error)}", "run `edge up` to migrate it"
    elif isinstance(error, psycopg.OperationalError):
        yield f"database error: {driver_message(error)}", "check DATABASE_URL; run `edge doctor` for details"
    elif isinstance(error, redis.RedisError):
        yield f"Redis error: {driver_message(error)}", "check REDIS_URL; run `edge doctor` for details"


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
    """Print a table."""
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(to_single_line, row))
    out.print(table)


def echo_json(answer: Any) -> None:
    """Print JSON."""
    import json

    typer.echo(json.dumps(answer, indent=1))
