"""`edge quarantine`."""

from __future__ import annotations

import getpass
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JSON, echo_json, out, print_rows
from edge_assets.cli.database import database_url
from edge_assets.terminal import as_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.store.quarantine import Quarantined

app = typer.Typer(name="quarantine", help="Inspect and release prices that were taken out.", no_args_is_help=True)
ID = Annotated[int, typer.Argument(metavar="ID", help="Its number in `edge quarantine list`.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Those that were released, too.")] = False,
    sport: filtering.SPORT = None,
    book: filtering.BOOK = None,
    season: filtering.SEASON = None,
    check: Annotated[str | None, typer.Option(help="Only what this check has found.")] = None,
    limit: filtering.LIMIT = 100,
    as_json: JSON = False,
) -> None:
    """List what is in quarantine."""
    from edge_assets.store.quarantine import Wanted, held, quarantined

    with _database() as conn:
        sport, book = filtering.known_sport(conn, sport), filtering.known_book(conn, book)
        check = filtering.known_word(check, held(conn), "check that holds anything") if not everything else check
        rows = quarantined(conn, Wanted(everything, sport, book, season, check), limit)
    if as_json:
        echo_json([_facts(row) for row in rows])
        return
    print_rows(("id", "event", "selection", "book", "price", "check"), list(map(_texts, rows)))


@app.command()
def show(number: ID, as_json: JSON = False) -> None:
    """Show why a price was taken out, and what others offered then."""
    from edge_assets.store.quarantine import others_then, quarantined_one

    with _database() as conn:
        row, others = quarantined_one(conn, number), others_then(conn, number)
    if row is None:
        raise _missing(number)
    if as_json:
        echo_json(_facts(row) | {"others": others})
        return
    for name, value in _facts(row).items():
        if value is not None:
            out.print(f"{name.replace('_', ' '):15} {as_cell(str(value))}", soft_wrap=True)
    for other in others:
        out.print(f"{'':15} {other['price']:<7g} {as_cell(other['book'])}")


@app.command()
def release(
    number: ID,
    by: Annotated[str | None, typer.Option(help="Who says so; the user of this machine.")] = None,
    as_json: JSON = False,
) -> None:
    """Put a price back: the next build of the warehouse sees it, and it is not taken out again."""
    from edge_assets.store.quarantine import quarantined_one
    from edge_assets.store.quarantine import release as put_back

    with _database() as conn:
        released = put_back(conn, number, by or getpass.getuser())
        row = quarantined_one(conn, number)
    if row is None or not released:
        raise _missing(number)
    if as_json:
        echo_json(_facts(row))
        return
    out.print(f"released: {as_cell(row.book)} {row.price:g}; the next build of the warehouse takes it in")


@contextmanager
def _database() -> Iterator[Connection]:
    from edge_assets.store.database import connect

    with closing(connect(database_url(), "edge quarantine")) as conn:
        yield conn


def _missing(number: int) -> Exception:
    from edge_assets.local.errors import LocalError

    return LocalError(f"{number} is not in quarantine", "`edge quarantine list` tells what is")


def _facts(row: Quarantined) -> dict[str, Any]:
    from dataclasses import asdict
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in asdict(row).items()}


def _texts(row: Quarantined) -> tuple[str, ...]:
    event = f"{row.home_team} - {row.away_team}"
    return str(row.id), event, _selection(row), row.book, f"{row.price:g}", row.check_name


def _selection(row: Quarantined) -> str:
    return f"{row.market} {row.outcome}" + ("" if row.point is None else f" {row.point:g}")
