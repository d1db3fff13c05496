"""Shots, corners, fouls, cards and half-time goals of a football-data.co.uk file.

Source: https://www.football-data.co.uk/notes.txt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.importers.formats.batch import StatedStatistics
from ml.game_statistics import MAX_COUNTS, PARTS, Statistic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_assets.importers.formats.football_matches import ParsedMatch
    from edge_assets.importers.formats.tables import CsvTable

COLUMNS = {
    Statistic.SHOTS: ("HS", "AS"),
    Statistic.SHOTS_ON_TARGET: ("HST", "AST"),
    Statistic.CORNERS: ("HC", "AC"),
    Statistic.FOULS: ("HF", "AF"),
    Statistic.YELLOW_CARDS: ("HY", "AY"),
    Statistic.RED_CARDS: ("HR", "AR"),
    Statistic.HALF_TIME_GOALS: ("HTHG", "HTAG"),
}
"""The columns of home and away."""


def read_statistics(table: CsvTable) -> NDArray[np.float64]:
    """The counts of all rows (n, statistic, side), NaN where missing or unusable: both sides or none.

    A value is rejected if it cannot be a count, exceeds what any team has had, lacks the other side's, or exceeds the
    whole that it is part of.
    """
    names = [name for columns in COLUMNS.values() for name in columns]
    counts = table.parse_numbers(names)
    most = np.repeat([MAX_COUNTS[statistic] for statistic in COLUMNS], 2)
    with np.errstate(invalid="ignore"):
        odd = (counts < 0) | (counts > most) | (counts % 1 != 0) & ~np.isnan(counts)
    table.reject("statistic_absurd", names, odd, "not a number of shots, corners, fouls, cards or goals of a team")
    usable = np.where(odd, np.nan, counts).reshape(len(table), len(COLUMNS), 2)
    alone = np.isnan(usable) & ~np.isnan(usable[..., ::-1]) & ~odd.reshape(usable.shape)
    table.reject("statistic_of_one_side", names, alone.reshape(counts.shape), "the other side has one")
    usable[np.isnan(usable).any(axis=2)] = np.nan
    return _without_contradictions(table, usable)


def select_statistics(counts: NDArray[np.float64], matches: Sequence[ParsedMatch], table: CsvTable) -> StatedStatistics:
    """The statistics of matches with a result; those of a match without one are rejected."""
    rows = np.array([match.row for match in matches], np.intp)
    has_result = np.array([match.event.report is not None for match in matches], bool)
    found = ~np.isnan(counts[rows, :, 0])
    for row in rows[found.any(axis=1) & ~has_result].tolist():
        table.reject_at(row, "statistics_without_result", COLUMNS[Statistic.SHOTS][0], "the match has no score")
    event, place = np.nonzero(found & has_result[:, None])
    home, away = counts[rows[event], place].T.astype(np.int16)
    return StatedStatistics(event.astype(np.int32), np.array([*COLUMNS], np.int16)[place], home, away)


def _without_contradictions(table: CsvTable, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The counts without parts that are more than the whole."""
    order = [*COLUMNS]
    for part, whole in PARTS:
        i, j = order.index(part), order.index(whole)
        with np.errstate(invalid="ignore"):
            more = counts[:, i] > counts[:, j]
        table.reject("statistic_contradicted", COLUMNS[part], more, f"more {part.key} than {whole.key}")
        counts[more.any(axis=1), i] = np.nan
    return counts
