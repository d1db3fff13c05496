"""`edge lines`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_assets.cli.application import out
from edge_assets.cli.database import find_database_url
from edge_assets.core.settings import Settings
from edge_assets.core.terminal import to_single_line

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection
    from rich.table import Table

    from edge_assets.charts.line import PriceHistory
    from edge_assets.store.analytics.line_history import ChartedEvent

CHART_HEIGHT_ROWS = 18
MAX_CANDIDATES = 15


def lines(
    event: Annotated[
        list[str], typer.Argument(metavar="EVENT...", help="Its id, its key at a source, or words of the team names.")
    ],
    market: Annotated[
        str | None, typer.Option(metavar="MARKET", help="h2h, h2h_3_way, spreads, totals, ...; default: winner.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(metavar="OUTCOME", help="home, away, over, ..., or part of its name.")
    ] = None,
    point: Annotated[
        float | None, typer.Option(metavar="POINT", help="Point, as with the outcome; default: most quoted.")
    ] = None,
    book: Annotated[list[str] | None, typer.Option(metavar="BOOK", help="Only this book; may be repeated.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From a time (UTC), or 6h or 2d before the start.")
    ] = None,
    fair: Annotated[bool, typer.Option("--fair", help="Show fair probabilities: without the margin.")] = False,
    in_play: Annotated[bool, typer.Option("--in-play", help="Include prices after the start.")] = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an image to this file instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Draw how the price of a selection moved, book by book."""
    from contextlib import closing

    from edge_assets.charts.line import load_price_history
    from edge_assets.charts.selection import ChartRequest, NothingToShowError
    from edge_assets.local.errors import LocalError
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "lines")) as conn:
        selected = _find_event(conn, " ".join(event))
        request = ChartRequest(
            market, outcome, point, tuple(book or ()), _parse_since(since, selected.commence_at), fair, in_play
        )
        try:
            line = load_price_history(conn, selected, request, Settings().edge_book_weights)
        except NothingToShowError as error:
            raise LocalError(str(error), error.remedy) from error
    if png:
        _write_png(png, line)
    if as_json:
        import json

        typer.echo(json.dumps(line.as_json()))
    elif not png:
        _print_line(line)


def _find_event(conn: Connection, text: str) -> ChartedEvent:
    from edge_assets.local.errors import LocalError
    from edge_assets.store.analytics.line_history import find_events

    found = find_events(conn, text)
    if len(found) == 1:
        return found[0]
    if not found:
        msg = f"no event matches {text!r}"
        raise LocalError(msg, "give its id, its key at a source, or fewer words of the team names")
    msg = f"{text!r} matches {len(found)} events"
    raise LocalError(msg, "\n".join(["choose one by its id", *_candidate_rows(found)]))


def _candidate_rows(found: list[ChartedEvent]) -> list[str]:
    from edge_assets.charts.selection import event_title

    width = len(str(max(e.id for e in found)))
    rows = [
        f"  {e.id:>{width}}  {e.commence_at:%Y-%m-%d %H:%M}  {to_single_line(event_title(e))}  ({e.sport})"
        for e in found[:MAX_CANDIDATES]
    ]
    return (
        rows
        if len(found) <= MAX_CANDIDATES
        else [*rows, f"  and {len(found) - MAX_CANDIDATES} older events: narrow it down"]
    )


def _parse_since(since: str | None, start: datetime) -> datetime | None:
    """`2025-11-09`, `2025-11-09T18:00`, `6h`, `2d`."""
    import re
    from datetime import UTC, datetime, timedelta

    from edge_assets.local.errors import LocalError

    if since is None:
        return None
    if match := re.fullmatch(r"(\d{1,5})([hd])", since):
        return start - int(match[1]) * (timedelta(hours=1) if match[2] == "h" else timedelta(days=1))
    try:
        at = datetime.fromisoformat(since)
    except ValueError as error:
        msg = f"--since {since} is not a time"
        raise LocalError(msg, "write 2025-11-09, 2025-11-09T18:00, 6h or 2d") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _write_png(path: Path, line: PriceHistory) -> None:
    from edge_assets.charts.picture import render_history_png
    from edge_assets.local.errors import LocalError

    try:
        path.write_bytes(render_history_png(line))
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}"
        raise LocalError(msg, "choose another --png") from error


def _print_line(line: PriceHistory) -> None:
    from rich.text import Text

    from edge_assets.charts.terminal import render_terminal

    in_colour = out.color_system is not None
    out.print(to_single_line(line.title), style="bold", soft_wrap=True)
    out.print(" · ".join(line.notes), style="dim", soft_wrap=True)
    out.print(Text.from_ansi(render_terminal(line, out.width, CHART_HEIGHT_ROWS, in_colour=in_colour)))
    out.print(_book_table(line, in_colour=in_colour))
    if more := line.other_options():
        out.print(f"also quoted: {to_single_line(more)}", style="dim", soft_wrap=True)


def _book_table(line: PriceHistory, *, in_colour: bool) -> Table:
    """The books, each with the mark of its curve."""
    from itertools import zip_longest

    from rich.table import Table
    from rich.text import Text

    from edge_assets.charts.terminal import COLOURS, LETTERS

    table = Table("", "book", box=None, pad_edge=False)
    for name in ("first", "low", "high", "last", "changes"):
        table.add_column(name, justify="right")
    marks = [Text("━━", style=c) for c in COLOURS] if in_colour else [Text(letter) for letter in LETTERS]
    for series, mark in zip_longest(line.series, marks[: len(line.leaders)]):
        *values, changes = series.summarize()
        table.add_row(mark, to_single_line(series.book), *map(line.format_value, values), f"{changes:,}")
    return table
