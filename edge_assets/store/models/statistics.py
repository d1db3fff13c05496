"""Statistics of games as they were first known, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edge_assets.store.postgres.binary_format import TIMESTAMP
from edge_assets.store.postgres.columns import read_columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection

SELECT_STATISTICS = """
SELECT DISTINCT ON (n.event_id, n.statistic_id) n.event_id, n.statistic_id, n.home, n.away, n.observed_at
FROM admitted_event_statistics AS n
INNER JOIN events AS e ON n.event_id = e.id
INNER JOIN sports AS s ON e.sport_id = s.id
WHERE s.key = %(group)s OR starts_with(s.key, %(group)s || '_')
ORDER BY
    n.event_id, n.statistic_id, n.observed_at, array_position(ARRAY['football-data', 'espn'], n.source), n.import_id,
    n.home, n.away
"""
"""The first statement of each: a later correction does not change what was known before it."""
STATISTIC_TYPES = {"event": "i4", "statistic": "i2", "home": "i2", "away": "i2", "known_at": TIMESTAMP}


class EventStatistics(NamedTuple):
    """Counts of both sides of events (n,) with the number of `ml.game_statistics.Statistic`, sorted by event and
    statistic, one row each; `known_at` in microseconds.
    """

    event: NDArray[np.int32]
    statistic: NDArray[np.int16]
    home: NDArray[np.int16]
    away: NDArray[np.int16]
    known_at: NDArray[np.int64]


def load_statistics(conn: Connection, group: str) -> EventStatistics:
    """The statistics of all leagues whose keys are `group` or start with it and `_`, except held out ones."""
    columns: dict[str, NDArray[Any]] = read_columns(conn, SELECT_STATISTICS, STATISTIC_TYPES, {"group": group})
    return EventStatistics(**columns)
