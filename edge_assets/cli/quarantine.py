"""`edge quarantine`."""

from __future__ import annotations

import getpass
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.database import find_database_url
from edge_assets.core.terminal import to_single_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from edge_assets.store.analytics.quarantine import QuarantinedPrice

app = typer.Typer(name="quarantine", help="Inspect and release quarantined prices.", no_args_is_help=True)
IdArgument = Annotated[int, typer.Argument(metavar="ID", help="Its number in `edge quarantine list`.")]


@app.command("list")
def list_(
    include_released: Annotated[bool, typer.Option("--all", help="Include released prices.")] = False,
    sport: filtering.SportOption = None,
    book: filtering.BookOption = None,
    season: filtering.SeasonOption = None,
    check: Annotated[str | None, typer.Option(metavar="CHECK", help="Only prices found by this check.")] = None,
    limit: filtering.LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List quarantined prices."""
    from edge_assets.store.analytics.quarantine import QuarantineFilter, count_quarantined, load_quarantined

    with _open_database() as conn:
        sport, book = filtering.validate_sport(conn, sport), filtering.validate_book(conn, book)
        check = (
            filtering.validate_choice(check, count_quarantined(conn), "check with quarantined prices")
            if not include_released
            else check
        )
        rows = load_quarantined(conn, QuarantineFilter(include_released, sport, book, season, check), limit)
    if as_json:
        echo_json([_price_json(row) for row in rows])
        return
    print_rows(("id", "event", "selection", "book", "price", "check"), list(map(_row_cells, rows)))


@app.command()
def show(number: IdArgument, as_json: JsonOption = False) -> None:
    """Show why a price was quarantined, and what other books offered at the time."""
    from edge_assets.store.analytics.quarantine import find_quarantined, load_prices_of_other_books

    with _open_database() as conn:
        row, others = find_quarantined(conn, number), load_prices_of_other_books(conn, number)
    if row is None:
        raise _not_quarantined_error(number)
    if as_json:
        echo_json(_price_json(row) | {"others": others})
        return
    for name, value in _price_json(row).items():
        if value is not None:
            out.print(f"{name.replace('_', ' '):15} {to_single_line(str(value))}", soft_wrap=True)
    for other in others:
        out.print(f"{'':15} {other['price']:<7g} {to_single_line(other['book'])}")


@app.command()
def release(
    number: IdArgument,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: the current user.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Release a price: the next warehouse build includes it, and it is not quarantined again."""
    from edge_assets.store.analytics.quarantine import find_quarantined, release_price

    with _open_database() as conn:
        released = release_price(conn, number, by or getpass.getuser())
        row = find_quarantined(conn, number)
    if row is None or not released:
        raise _not_quarantined_error(number)
    if as_json:
        echo_json(_price_json(row))
        return
    out.print(f"released: {to_single_line(row.book)} {row.price:g}; the next warehouse build includes it")


@contextmanager
def _open_database() -> Iterator[Connection]:
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge quarantine")) as conn:
        yield conn


def _not_quarantined_error(number: int) -> Exception:
    from edge_assets.local.errors import LocalError

    return LocalError(f"{number} is not in quarantine", "run `edge quarantine list` to see quarantined prices")


def _price_json(row: QuarantinedPrice) -> dict[str, Any]:
    from dataclasses import asdict
    from datetime import datetime

    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in asdict(row).items()}


def _row_cells(row: QuarantinedPrice) -> tuple[str, ...]:
    event = f"{row.home_team} - {row.away_team}"
    return str(row.id), event, _format_selection(row), row.book, f"{row.price:g}", row.check_name


def _format_selection(row: QuarantinedPrice) -> str:
    return f"{row.market} {row.outcome}" + ("" if row.point is None else f" {row.point:g}")
