"""The formats that can be imported, and how each is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from edge_assets.feeds.history import football_data, nfl_bmr, odds_ticks, pinnacle_mlb
from edge_assets.feeds.history.sources import Part, folders, single_files, unpacked, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_assets.feeds.history.batch import Reading


class FormatName(StrEnum):
    """What `edge import` calls them."""

    FOOTBALL_DATA = "football-data"
    ODDS_API = "odds-api"
    ODDS_TICKS = "odds-ticks"
    PINNACLE_MLB = "pinnacle-mlb"
    NFL_BMR = "nfl-bmr"


@dataclass(frozen=True, slots=True)
class Format:
    """How paths fall into parts, and what a part holds; captures (`read` is None) go through the differ instead."""

    parts: Callable[[Sequence[Path]], list[Part]]
    read: Callable[[Part], Reading] | None
    accepts: str


def _of_file(read: Callable[[str, bytes], Reading], part: Part) -> Reading:
    return read(part.name, unpacked(part.files[0]))


FORMATS = {
    FormatName.FOOTBALL_DATA: Format(
        single_files, partial(_of_file, football_data.read), "CSV files of football-data.co.uk"
    ),
    FormatName.ODDS_API: Format(whole, None, "recorded answers of The Odds API: files, folders or tars"),
    FormatName.ODDS_TICKS: Format(
        partial(folders, main=odds_ticks.MAIN, others=odds_ticks.OTHERS),
        odds_ticks.read,
        "a folder with *_segments.csv, *_events.csv, *_snapshots.csv",
    ),
    FormatName.PINNACLE_MLB: Format(
        partial(folders, main=pinnacle_mlb.MAIN, others=pinnacle_mlb.OTHERS),
        pinnacle_mlb.read,
        "a folder with lines.csv and games.csv",
    ),
    FormatName.NFL_BMR: Format(single_files, partial(_of_file, nfl_bmr.read), "CSV files, one a week"),
}
