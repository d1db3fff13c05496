"""What the pages of the models show of them: rows, coverage as a table and a picture, the line that moved most."""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dagster import MetadataValue, Output, TableRecord

from edge_assets.charts.coverage import CLOSED, by_book, by_season
from edge_assets.store.coverage import book_moves, closing_coverage, row_count
from edge_assets.store.database import connect
from edge_assets.store.lines import find_events, most_moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from logging import Logger

    from psycopg import Connection

    Page = dict[str, MetadataValue[Any]]

SMALL = (9, 4.5)
"""Inches, at 72 dots each."""


def illustrated(events: Iterable[Any], database_url: str, weights: Mapping[str, float], log: Logger) -> Iterator[Any]:
    """`events` of dbt as they come, those of models with their page."""
    with closing(connect(database_url, "pages")) as conn:
        for event in events:
            model = _model(event)
            yield event.with_metadata({**event.metadata, **_page(conn, model, weights, log)}) if model else event


def coverage_page(conn: Connection, _: Mapping[str, float]) -> Page:
    """Of `closing_coverage`: by season, in numbers."""
    records = [
        TableRecord(
            {
                "season": season.name,
                "books": season.books,
                "expected": season.expected,
                "closed %": round(season.percent[CLOSED], 1),
                "missing %": ", ".join(f"{why} {n:.1f}" for why, n in season.percent.items() if why != CLOSED),
            }
        )
        for season in by_season(closing_coverage(conn))
    ]
    return {"coverage": MetadataValue.table(records)} if records else {}


def quality_page(conn: Connection, _: Mapping[str, float]) -> Page:
    """Of `book_quality`: the coverage of each book's closes. Pictures are for the night: one takes 0.3 to 1 s."""
    from edge_assets.charts.picture import coverage_png  # noqa: PLC0415 - matplotlib is for runs

    entries = closing_coverage(conn)
    return {"coverage by book": _image(coverage_png(by_book(entries)))} if entries else {}


def moves_page(conn: Connection, weights: Mapping[str, float]) -> Page:
    """Of `line_moves`, a view of a row a move: how many, and the event that moved most of late."""
    from edge_assets.charts.choice import Wish  # noqa: PLC0415 - as above
    from edge_assets.charts.line import read_line  # noqa: PLC0415 - as above
    from edge_assets.charts.picture import line_png  # noqa: PLC0415 - as above

    page: Page = {"dagster/row_count": MetadataValue.int(book_moves(conn))}
    found = most_moved(conn)
    if found is None:
        return page
    event_id, market = found
    [event] = find_events(conn, str(event_id))
    line = read_line(conn, event, Wish(market=market, fair=True), weights)
    command = f"\n\n`edge lines {event_id} --market {market} --fair`"
    return page | {"most moved": _image(line_png(line, size=SMALL, dpi=72), command)}


PAGES: dict[str, Callable[[Connection, Mapping[str, float]], Page]] = {
    "book_quality": quality_page,
    "closing_coverage": coverage_page,
    "line_moves": moves_page,
}


def _model(event: object) -> str | None:
    """The dbt model that an event has built."""
    if not isinstance(event, Output) or "unique_id" not in event.metadata:
        return None
    return str(event.metadata["unique_id"].value).rpartition(".")[2]


def _page(conn: Connection, model: str, weights: Mapping[str, float], log: Logger) -> dict[str, Any]:
    """Rows and pictures. dagster_dbt would count in the database that the manifest names, which is any or none."""
    page: dict[str, Any] = {}
    try:
        if (rows := row_count(conn, model)) is not None:
            page["dagster/row_count"] = rows
        if draw := PAGES.get(model):
            page |= draw(conn, weights)
    except Exception:  # whatever it is, a picture is no reason to stop a build of which others make bets
        log.exception("the page of %s is incomplete", model)
    return page


def _image(png: bytes, below: str = "") -> MetadataValue[Any]:
    return MetadataValue.md(f"![](data:image/png;base64,{b64encode(png).decode()}){below}")
