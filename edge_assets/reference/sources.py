"""The sources of odds and results: what the rooms know of each, in one place. A new source is one entry here."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Source(StrEnum):
    """Sources of odds, results and statistics by name, the most trusted for results first.

    The view `event_results` uses the same order.
    """

    ODDS_API = "odds-api"
    ESPN = "espn"
    FOOTBALL_DATA = "football-data"
    PINNACLE_MLB = "pinnacle-mlb"
    NFL_BMR = "nfl-bmr"
    ODDS_TICKS = "odds-ticks"


class SourceProfile(NamedTuple):
    """`import_files`: what `edge import` reads of a source, None if it is only polled.

    `has_event_ids`: it has event ids of its own, which polling relies on; two ids stay two events.
    """

    import_files: str | None = None
    has_event_ids: bool = False


SOURCES = {
    Source.FOOTBALL_DATA: SourceProfile("CSV files of football-data.co.uk"),
    Source.ODDS_API: SourceProfile("recorded responses of The Odds API: files, folders or tars", has_event_ids=True),
    Source.ODDS_TICKS: SourceProfile("a folder with *_segments.csv, *_events.csv, *_snapshots.csv"),
    Source.PINNACLE_MLB: SourceProfile("a folder with lines.csv and games.csv"),
    Source.NFL_BMR: SourceProfile("CSV files, one per week"),
    Source.ESPN: SourceProfile(),
}
"""In the order in which `edge import` lists them."""
IMPORT_SOURCES = tuple(source for source, profile in SOURCES.items() if profile.import_files)
"""Sources that have an import format, which is called like the source."""
