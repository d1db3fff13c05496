"""Statistics of games, written as each source states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.store.postgres import array_params

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray
    from psycopg import Connection

    from edge_assets.reference.sources import Source

UPSERT_STATISTICS = """
WITH written AS (
    INSERT INTO event_statistics (event_id, statistic_id, home, away, observed_at, source, import_id)
    SELECT event_id, statistic_id, home, away, min(observed_at), %(source)s, %(import)s::integer
    FROM unnest(
        %(event)s::integer[], %(statistic)s::smallint[], %(home)s::smallint[], %(away)s::smallint[],
        %(at)s::timestamptz[]
    ) AS n (event_id, statistic_id, home, away, observed_at)
    GROUP BY event_id, statistic_id, home, away
    ON CONFLICT ON CONSTRAINT event_statistics_statement
    DO UPDATE SET observed_at = excluded.observed_at WHERE excluded.observed_at < event_statistics.observed_at
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) FROM written
"""


class StatisticColumns(NamedTuple):
    """Statistics (n,) of events: the number of `Statistic`, the counts of both sides, and when they were stated."""

    event: NDArray[Any]
    statistic: NDArray[Any]
    home: NDArray[Any]
    away: NDArray[Any]
    observed_at: NDArray[Any]


def write_statistics(
    conn: Connection, statistics: StatisticColumns, source: Source, import_id: int | None = None
) -> int:
    """Store statistics; repeated statements are not stored again. Returns the number of new ones."""
    if not len(statistics.event):
        return 0
    values = {
        "event": array_params.encode_numbers(statistics.event, "i4"),
        "statistic": array_params.encode_numbers(statistics.statistic, "i2"),
        "home": array_params.encode_numbers(statistics.home, "i2"),
        "away": array_params.encode_numbers(statistics.away, "i2"),
        "at": array_params.encode_timestamps(statistics.observed_at),
        "source": source.value,
        "import": import_id,
    }
    (new,) = conn.execute(UPSERT_STATISTICS, values).fetchone() or (0,)
    return int(new)
