"""Leases: at most one burst polls a sport.

A lease is a session-level advisory lock: it ends with its process or connection, immediately and without a timeout. (It
therefore needs a direct connection, not a transaction pooler.) The row in `leases` records the holder, its heartbeat,
and who waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.rows import class_row, scalar_row

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from psycopg import Connection

LEASE_LOCK_SPACE = 0x0ED6E
"""First key of the advisory locks; the second is the sport."""
SCORER_LOCK_SPACE = 0x0ED6F
"""First key of the scorers' locks; the second is a bucket of sports."""
UPSERT_LEASE = """
INSERT INTO leases (sport_id, run_id, acquired_at, heartbeat_at, handover_at)
VALUES (
    %(sport)s, %(run)s, clock_timestamp(), clock_timestamp(), clock_timestamp() + %(seconds)s * interval '1 second'
)
ON CONFLICT (sport_id) DO UPDATE SET run_id = excluded.run_id, acquired_at = excluded.acquired_at,
heartbeat_at = excluded.heartbeat_at, handover_at = excluded.handover_at, claimed_by = NULL, claimed_at = NULL
"""
MAX_CLAIM_AGE_SECONDS = 3.0
"""A waiting burst renews its claim many times a second; after this long without renewal it is gone."""
UPDATE_HEARTBEAT = """
UPDATE leases SET heartbeat_at = clock_timestamp() WHERE sport_id = %s
RETURNING CASE WHEN claimed_at > clock_timestamp() - %s * interval '1 second' THEN claimed_by END
"""
SELECT_LEASES = """
SELECT
    s.key AS sport, l.run_id, k.pid IS NOT NULL AS live, l.acquired_at, l.heartbeat_at, l.handover_at,
    l.claimed_by
FROM leases AS l
INNER JOIN sports AS s ON l.sport_id = s.id
LEFT JOIN pg_locks AS k
    ON
        k.locktype = 'advisory' AND k.classid = %s AND k.objid = l.sport_id AND k.objsubid = 2 AND k.granted
        AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """A lease as `leases` shows it; `live`: its session is connected."""

    sport: str
    run_id: str
    live: bool
    acquired_at: datetime
    heartbeat_at: datetime
    handover_at: datetime
    claimed_by: str | None


class Lease:
    """A sport held by the connection that took it."""

    def __init__(self, conn: Connection, sport_id: int, run_id: str) -> None:
        self._conn = conn
        self._sport_id = sport_id
        self.run_id = run_id

    @classmethod
    def try_acquire(cls, conn: Connection, sport_id: int, run_id: str, expected_seconds: float) -> Lease | None:
        """Take a sport for about `expected_seconds` if it is free; otherwise claim it."""
        with conn.cursor(row_factory=scalar_row) as cursor:
            locked = cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LEASE_LOCK_SPACE, sport_id]).fetchone()
        if locked:
            conn.execute(UPSERT_LEASE, {"sport": sport_id, "run": run_id, "seconds": expected_seconds})
            return cls(conn, sport_id, run_id)
        conn.execute(
            "UPDATE leases SET claimed_by = %s, claimed_at = clock_timestamp() WHERE sport_id = %s AND run_id <> %s",
            [run_id, sport_id, run_id],
        )
        return None

    def heartbeat(self) -> str | None:
        """Record that the holder is alive; return the run that waits for the sport, if any."""
        with self._conn.cursor(row_factory=scalar_row) as cursor:
            return cursor.execute(UPDATE_HEARTBEAT, [self._sport_id, MAX_CLAIM_AGE_SECONDS]).fetchone()

    def release(self) -> None:
        """Release the sport."""
        self._conn.execute("SELECT pg_advisory_unlock(%s, %s)", [LEASE_LOCK_SPACE, self._sport_id])


def load_leases(conn: Connection) -> dict[str, LeaseInfo]:
    """The leases by sport, those left by dead holders included."""
    with conn.cursor(row_factory=class_row(LeaseInfo)) as cursor:
        return {lease.sport: lease for lease in cursor.execute(SELECT_LEASES, [LEASE_LOCK_SPACE])}


def acquire_scorer_lock(conn: Connection, buckets: Collection[int] = (0,)) -> None:
    """Wait until no other scorer has any of the `buckets` of sports; they are held as long as the connection lives.

    They are taken in ascending order, so two scorers never wait for each other.
    """
    conn.execute("SELECT pg_advisory_lock(%s, b) FROM unnest(%s::int[]) AS b", [SCORER_LOCK_SPACE, sorted(buckets)])
