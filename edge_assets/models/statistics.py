"""Stored statistics of games, by row of the games."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.store.models.statistics import EventStatistics, load_statistics
from ml.features.performance import STATISTICS, UNKNOWN_SINCE
from ml.game_statistics import Statistic
from ml.quotes import MICROS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.training.games import Games

    Array = NDArray[np.float64]

MAX_DELAY_MICROS = MICROS_PER_DAY
"""Statistics known later than this after the result are left out: a game must not wait for them to count."""


class GameStatistics(NamedTuple):
    """Counts (N, 2) by name, home and away, NaN where unknown; `known_at` (N,) is when they and the result were."""

    counts: Mapping[str, Array]
    known_at: NDArray[np.int64]


def load_game_statistics(conn: Connection, group: str, games: Games) -> GameStatistics:
    """What is stored of `games`."""
    return arrange_statistics(load_statistics(conn, group), games)


def arrange_statistics(stored: EventStatistics, games: Games) -> GameStatistics:
    """The statistics of `games`, without those that became known too late; `known_at` is `UNKNOWN_SINCE` without a
    result.
    """
    ours = np.isin(stored.event, games.event)
    stored = EventStatistics(
        stored.event[ours], stored.statistic[ours], stored.home[ours], stored.away[ours], stored.known_at[ours]
    )
    order = np.argsort(games.event)
    row = order[np.searchsorted(games.event, stored.event, sorter=order)]
    result_at = games.known_at[row]
    usable = (result_at < UNKNOWN_SINCE) & (stored.known_at - MAX_DELAY_MICROS <= result_at)
    counts, known_at = {}, games.known_at.copy()
    for name in STATISTICS:
        rows = np.flatnonzero(usable & (stored.statistic == Statistic[name.upper()]))
        values = np.full((len(games.event), 2), np.nan)
        values[row[rows]] = np.stack([stored.home[rows], stored.away[rows]], axis=1)
        np.maximum.at(known_at, row[rows], stored.known_at[rows])
        counts[name] = values
    return GameStatistics(counts, known_at)
