"""`edge warehouse`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JsonOption, echo_json, out, print_rows
from edge_assets.cli.database import connect_warehouse, find_database_url
from edge_assets.cli.warehouse_reports import accuracy, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from edge_assets.store.analytics.book_weights import BookWeight

FINDING_COLUMNS = ("finding", "what", "why")
UNSETTLED_COLUMNS = ("sport", "season", "market", "verdict")
app = typer.Typer(name="warehouse", help="Build and query the warehouse.", no_args_is_help=True)
app.command()(table)
app.command()(accuracy)


@app.command()
def build(as_json: JsonOption = False) -> None:
    """Build what is new since the last build. Dagster does the same nightly, and most of it hourly.

    Only one build runs per database at a time: this one waits for another, and reports that it waits.
    """
    from edge_assets.cli.building import build_warehouse
    from edge_assets.local.errors import LocalError

    result = build_warehouse(find_database_url())
    found = _load_findings()
    if as_json:
        held_out = [dict(zip(FINDING_COLUMNS, finding, strict=True)) for finding in found]
        echo_json(asdict(result) | {"held_out": held_out})
    if result.reason is not None:
        msg = f"warehouse build failed: {result.reason}"
        raise LocalError(msg, "tables built so far are kept; fix it, then `edge warehouse build` resumes")
    if as_json:
        return
    out.print(
        f"built {result.tables_built} tables and views; failed checks: {', '.join(result.failed_checks) or 'none'}"
    )
    if found:
        out.print("held out until decided (`edge quality show`, `accept`, `exclude`, `withdraw`):")
        print_rows(FINDING_COLUMNS, found)


def _load_findings() -> list[tuple[str, str, str]]:
    from contextlib import closing

    from edge_assets.store.analytics.findings import load_findings
    from edge_assets.store.postgres.database import connect

    with closing(connect(find_database_url(), "edge warehouse")) as conn:
        return [(str(finding.id), finding.scope_summary, finding.reason) for finding in load_findings(conn)]


@app.command()
def report(
    sport: filtering.SportOption = None,
    season: filtering.SeasonOption = None,
    book: filtering.BookOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how many closing lines there are by sport, season and book, and why others are missing."""
    from edge_assets.store.analytics.closing_coverage import count_events, load_closing_coverage, load_phantom_events
    from edge_assets.store.events.settlements import count_unsettled_games

    with connect_warehouse("closing_coverage") as conn:
        sport, book = filtering.validate_sport(conn, sport), filtering.validate_book(conn, book)
        coverage = filtering.filter_rows(load_closing_coverage(conn), sport=sport, season=season, book=book)
        events = filtering.filter_rows(count_events(conn), sport=sport, season=season)
        never_played = filtering.filter_rows(load_phantom_events(conn), sport=sport, season=season)
        open_results = filtering.filter_rows(count_unsettled_games(conn), sport=sport, season=season)
    if as_json:
        echo_json({"coverage": coverage, "events": events, "phantoms": never_played, "unsettled": open_results})
        return
    print_rows(
        ("sport", "season", "book", "expected", "closed", "missing, by reason"), list(map(_coverage_cells, coverage))
    )
    out.print()
    head = ("sport", "season", "events", "played", "phantom", "contradicted", "pending or cancelled")
    print_rows(head, list(map(_event_count_cells, events)))
    if open_results:
        out.print("\ngames that cannot be settled, by reason")
        rows = [(*(str(row[name]) for name in UNSETTLED_COLUMNS), f"{row['games']:,}") for row in open_results]
        print_rows((*UNSETTLED_COLUMNS[:3], "reason", "games"), rows)
    if any(entry["contradicted"] for entry in events):
        out.print("\ndecide contradicted results: `edge results list --contradicted`")


def _coverage_cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    missing = ", ".join(f"{reason} {part['percent']:.1f}%" for reason, part in entry["missing"].items())
    closed = f"{entry['closed_percent']:.1f}%"
    return entry["sport"], str(entry["season"]), entry["book"], f"{entry['expected']:,}", closed, missing


def _event_count_cells(entry: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (f"{entry[name]:,}" for name in ("events", "played", "phantom", "contradicted", "awaited_or_off"))
    return entry["sport"], str(entry["season"]), *counts


@app.command()
def weights(
    sport: filtering.SportOption = None, book: filtering.BookOption = None, as_json: JsonOption = False
) -> None:
    """Show measured book weights and the number of games behind them.

    Other books have their conventional weight; EDGE_BOOK_WEIGHTS overrides both.
    """
    from edge_assets.store.analytics.book_weights import load_last_weights

    with connect_warehouse("book_quality") as conn:
        sport, book = filtering.validate_sport(conn, sport), filtering.validate_book(conn, book)
        found = filtering.filter_rows(load_last_weights(conn), sport=sport, book=book)
    if as_json:
        echo_json({"weights": [w._asdict() | {"valid_from": w.valid_from.isoformat()} for w in found]})
        return
    header = ("sport", "book", "weight", "convention", "games", "gain, millinats", "valid from")
    print_rows(header, list(map(_weight_cells, found)))


def _weight_cells(w: BookWeight) -> tuple[str, ...]:
    gain = f"{1000 * w.gain:+.2f} ± {1000 * w.error:.2f}"
    return w.sport, w.book, f"{w.weight:.2f}", f"{w.prior:.2f}", f"{w.games:,}", gain, f"{w.valid_from:%Y-%m-%d}"
