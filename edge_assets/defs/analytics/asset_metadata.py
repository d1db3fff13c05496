"""Metadata of the models' asset pages: row counts, coverage as a table and a chart, the line that moved most."""

from __future__ import annotations

from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

from dagster import MetadataValue, Output, TableRecord

from edge_assets.charts.coverage import CLOSED, summarize_by_book, summarize_by_season
from edge_assets.store.analytics.closing_coverage import count_book_moves, count_rows, load_closing_coverage
from edge_assets.store.analytics.line_history import find_events, find_most_moved_market
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from logging import Logger

    from psycopg import Connection

    Metadata = dict[str, MetadataValue[Any]]

SMALL_FIGURE_INCHES = (9, 4.5)
"""At 72 dots per inch."""


def with_metadata(events: Iterable[Any], database_url: str, weights: Mapping[str, float], log: Logger) -> Iterator[Any]:
    """Pass on dbt's `events`, those of models with their metadata."""
    with closing(connect(database_url, "pages")) as conn:
        for event in events:
            model = _model_name(event)
            yield (
                event.with_metadata({**event.metadata, **_model_metadata(conn, model, weights, log)})
                if model
                else event
            )


def coverage_metadata(conn: Connection, _: Mapping[str, float]) -> Metadata:
    """For `closing_coverage`: coverage by season."""
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
        for season in summarize_by_season(load_closing_coverage(conn))
    ]
    return {"coverage": MetadataValue.table(records)} if records else {}


def quality_metadata(conn: Connection, _: Mapping[str, float]) -> Metadata:
    """For `book_quality`: the coverage of each book's closes. Built nightly only, because rendering is slow."""
    from edge_assets.charts.picture import render_coverage_png  # noqa: PLC0415 - matplotlib is for runs

    entries = load_closing_coverage(conn)
    return {"coverage by book": _image_markdown(render_coverage_png(summarize_by_book(entries)))} if entries else {}


def moves_metadata(conn: Connection, weights: Mapping[str, float]) -> Metadata:
    """For `line_moves`, a view with one row per move: their number, and the event that moved most recently."""
    from edge_assets.charts.line import load_price_history  # noqa: PLC0415 - as above
    from edge_assets.charts.picture import render_history_png  # noqa: PLC0415 - as above
    from edge_assets.charts.selection import ChartRequest  # noqa: PLC0415 - as above

    metadata: Metadata = {"dagster/row_count": MetadataValue.int(count_book_moves(conn))}
    found = find_most_moved_market(conn)
    if found is None:
        return metadata
    event_id, market = found
    [event] = find_events(conn, str(event_id))
    line = load_price_history(conn, event, ChartRequest(market=market, fair=True), weights)
    command = f"\n\n`edge lines {event_id} --market {market} --fair`"
    return metadata | {
        "most moved": _image_markdown(render_history_png(line, size=SMALL_FIGURE_INCHES, dpi=72), command)
    }


METADATA_BUILDERS: dict[str, Callable[[Connection, Mapping[str, float]], Metadata]] = {
    "book_quality": quality_metadata,
    "closing_coverage": coverage_metadata,
    "line_moves": moves_metadata,
}


def _model_name(event: object) -> str | None:
    """The dbt model that an event reports as built."""
    if not isinstance(event, Output) or "unique_id" not in event.metadata:
        return None
    return str(event.metadata["unique_id"].value).rpartition(".")[2]


def _model_metadata(conn: Connection, model: str, weights: Mapping[str, float], log: Logger) -> dict[str, Any]:
    """Row count and charts. dagster_dbt would count in the database of the manifest, which may be any or none."""
    metadata: dict[str, Any] = {}
    try:
        if (rows := count_rows(conn, model)) is not None:
            metadata["dagster/row_count"] = rows
        if build := METADATA_BUILDERS.get(model):
            metadata |= build(conn, weights)
    except Exception:  # any error: a failed chart must not stop a build that others rely on
        log.exception("incomplete metadata for %s", model)
    return metadata


def _image_markdown(png: bytes, caption: str = "") -> MetadataValue[Any]:
    return MetadataValue.md(f"![](data:image/png;base64,{b64encode(png).decode()}){caption}")
