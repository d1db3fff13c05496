"""`edge warehouse`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from edge_assets.cli import filtering
from edge_assets.cli.application import JSON, echo_json, out, print_rows
from edge_assets.cli.database import database_url, warehouse
from edge_assets.cli.figures import accuracy, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from edge_assets.store.weights import BookWeight

FINDING = ("finding", "what", "why")
UNSETTLED = ("sport", "season", "market", "verdict")
app = typer.Typer(name="warehouse", help="Build the warehouse and ask it.", no_args_is_help=True)
app.command()(table)
app.command()(accuracy)


@app.command()
def build(as_json: JSON = False) -> None:
    """Build what has come since the last build: what Dagster builds every night, and most of it every hour.

    One builds at a time: while another build runs, on this database, this one waits and says so.
    """
    from edge_assets.cli.building import build_warehouse
    from edge_assets.local.errors import LocalError

    built = build_warehouse(database_url())
    found = _findings()
    if as_json:
        held_out = [dict(zip(FINDING, finding, strict=True)) for finding in found]
        echo_json(asdict(built) | {"held_out": held_out})
    if built.reason is not None:
        msg = f"the warehouse was not built to the end: {built.reason}"
        raise LocalError(msg, "what was built until then stands; after mending it, `edge warehouse build` goes on")
    if as_json:
        return
    out.print(f"built {built.made} tables and views; failed checks: {', '.join(built.failed_checks) or 'none'}")
    if found:
        out.print("held out until it is decided (`edge quality show`, `accept`, `exclude`, `withdraw`):")
        print_rows(FINDING, found)


def _findings() -> list[tuple[str, str, str]]:
    from contextlib import closing

    from edge_assets.store.database import connect
    from edge_assets.store.findings import findings

    with closing(connect(database_url(), "edge warehouse")) as conn:
        return [(str(finding.id), finding.reach, finding.reason) for finding in findings(conn)]


@app.command()
def report(
    sport: filtering.SPORT = None,
    season: filtering.SEASON = None,
    book: filtering.BOOK = None,
    as_json: JSON = False,
) -> None:
    """Show how many closing lines there are by sport, season and book, and why the others are missing."""
    from edge_assets.store.coverage import closing_coverage, event_counts, phantoms
    from edge_assets.store.settlements import unsettled

    with warehouse("closing_coverage") as conn:
        sport, book = filtering.known_sport(conn, sport), filtering.known_book(conn, book)
        coverage = filtering.narrowed(closing_coverage(conn), sport=sport, season=season, book=book)
        events = filtering.narrowed(event_counts(conn), sport=sport, season=season)
        never_played = filtering.narrowed(phantoms(conn), sport=sport, season=season)
        open_results = filtering.narrowed(unsettled(conn), sport=sport, season=season)
    if as_json:
        echo_json({"coverage": coverage, "events": events, "phantoms": never_played, "unsettled": open_results})
        return
    print_rows(("sport", "season", "book", "expected", "closed", "missing, by reason"), list(map(_covered, coverage)))
    out.print()
    head = ("sport", "season", "events", "played", "phantom", "contradicted", "awaited or off")
    print_rows(head, list(map(_counted, events)))
    if open_results:
        out.print("\nmatch results that settle nothing, by what is missing")
        rows = [(*(str(row[name]) for name in UNSETTLED), f"{row['games']:,}") for row in open_results]
        print_rows((*UNSETTLED[:3], "reason", "games"), rows)
    if any(entry["contradicted"] for entry in events):
        out.print("\nof contradicted results a person decides: `edge results list --contradicted`")


def _covered(entry: Mapping[str, Any]) -> tuple[str, ...]:
    missing = ", ".join(f"{reason} {part['percent']:.1f}%" for reason, part in entry["missing"].items())
    closed = f"{entry['closed_percent']:.1f}%"
    return entry["sport"], str(entry["season"]), entry["book"], f"{entry['expected']:,}", closed, missing


def _counted(entry: Mapping[str, Any]) -> tuple[str, ...]:
    counts = (f"{entry[name]:,}" for name in ("events", "played", "phantom", "contradicted", "awaited_or_off"))
    return entry["sport"], str(entry["season"]), *counts


@app.command()
def weights(sport: filtering.SPORT = None, book: filtering.BOOK = None, as_json: JSON = False) -> None:
    """Show what books count where the warehouse has measured it, and on how many games that rests.

    The rest count as by convention; EDGE_BOOK_WEIGHTS overrides both.
    """
    from edge_assets.store.weights import last_weights

    with warehouse("book_quality") as conn:
        sport, book = filtering.known_sport(conn, sport), filtering.known_book(conn, book)
        found = filtering.narrowed(last_weights(conn), sport=sport, book=book)
    if as_json:
        echo_json({"weights": [w._asdict() | {"valid_from": w.valid_from.isoformat()} for w in found]})
        return
    header = ("sport", "book", "weight", "convention", "games", "gain, millinats", "valid from")
    print_rows(header, list(map(_weighed, found)))


def _weighed(w: BookWeight) -> tuple[str, ...]:
    gain = f"{1000 * w.gain:+.2f} ± {1000 * w.error:.2f}"
    return w.sport, w.book, f"{w.weight:.2f}", f"{w.prior:.2f}", f"{w.games:,}", gain, f"{w.valid_from:%Y-%m-%d}"
