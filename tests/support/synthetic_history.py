"""A season of made-up history, written by the server itself: much of everything but of what is going on now."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import zstandard

from edge_assets.store.polls.dimensions import IdRegistry
from ml.quotes import EventStarts, MarketConfirmations, encode_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.errors import Diagnostic

SPORTS = 6
OPEN_ALERTS = 120
"""The steps of the last hour, each of an alert of its own that is open."""
STEPS_A_LIFE = 4

LIVE_POLLS = """
INSERT INTO polls (
    sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events, rejected,
    credits_last, credits_remaining, request_ms, body_bytes, market_times, starts, import_id
)
SELECT
    1 + mod(n, {sports}), 'odds-api', 'run-1', %(now)s - ({polls} - n) * interval '1 minute',
    %(now)s - ({polls} - n) * interval '1 minute', 1000, 10, 1, 5, '{{"stale": 1}}', 6, 1000000 - n, 5, 10000,
    %(times)s, %(starts)s, NULL
FROM generate_series(1, {polls}) AS n
"""
IMPORTED_POLLS = """
INSERT INTO polls (
    sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events,
    request_ms, body_bytes, market_times, starts, import_id
)
SELECT
    1 + mod(n, {sports}), 'football-data', 'import-1', %(now)s + n * interval '1 second', %(now)s, 100, 10, 1, 5, 5, 0,
    %(times)s, %(starts)s, 1
FROM generate_series(1, {polls}) AS n
"""
"""Stored after the live polls, and some of them of fixtures: nothing that is newest is live."""
CLOSED_STEPS = """
INSERT INTO alerts (
    sport_id, alert_id, seq, state, kind, event_id, market_id, outcome_id, book_id, expected_value, books, price_age_s,
    price, observed_at, poll_id, tick_poll_id
)
SELECT
    1 + mod(n / {life}, {sports}), md5((n / {life})::text)::uuid, mod(n, {life}),
    CASE mod(n, {life}) WHEN 0 THEN 'opened' WHEN {life} - 1 THEN 'closed' ELSE 'updated' END,
    CASE mod(n / {life}, 3) WHEN 0 THEN 'arbitrage' ELSE 'value' END, 1, 1, 1, 1, 0.05, 5, 10, 2.0,
    %(now)s, 1 + mod(n, {polls}), 1 + mod(n, {polls})
FROM generate_series(0, {steps} - 1) AS n
"""
OPEN_STEPS = """
INSERT INTO alerts (
    sport_id, alert_id, seq, state, kind, event_id, market_id, outcome_id, book_id, expected_value, books, price_age_s,
    price, observed_at, poll_id, tick_poll_id
)
SELECT
    1 + mod(n, {sports}), md5('open' || n)::uuid, 0, 'opened', 'value', 1, 1, 1, 1, 0.05, 5, 10, 2.0, %(now)s, {polls},
    {polls}
FROM generate_series(1, {open}) AS n
"""
UNFOLLOWED = "ALTER TABLE alerts {} TRIGGER alerts_followed"
"""They were opened and closed one after the other, not all at once."""
PUBLICATIONS = """
INSERT INTO alert_publications
SELECT a.id, %(now)s - ((SELECT max(id) FROM alerts) - a.id) * interval '20 seconds', 50, NULL FROM alerts AS a
"""
SUPPRESSIONS = "INSERT INTO suppressions SELECT n, 'stale', 3 FROM generate_series(1, {polls}) AS n"
SCORED = """
INSERT INTO scorer_progress
SELECT sport_id, max(id), max(observed_at) FROM polls WHERE import_id IS NULL GROUP BY sport_id
"""


@dataclass(slots=True)
class Plans:
    """The plans of the statements that were executed, as the server ran them."""

    plans: list[dict[str, Any]] = field(default_factory=list)

    def add(self, message: Diagnostic) -> None:
        """Take a notice of auto_explain."""
        _, found, plan = (message.message_primary or "").partition("plan:")
        if found:
            self.plans.append(json.loads(plan))

    @property
    def pages(self) -> int:
        """All pages touched."""
        return sum(p["Plan"]["Shared Hit Blocks"] + p["Plan"]["Shared Read Blocks"] for p in self.plans)


@contextmanager
def collect_plans(conn: Connection) -> Iterator[Plans]:
    """Collect the plans of whatever is executed meanwhile."""
    plans = Plans()
    conn.execute("LOAD 'auto_explain'")
    for setting in ("log_analyze = on", "log_buffers = on", "log_timing = off", "log_format = json"):
        conn.execute(f"SET auto_explain.{setting}")
    conn.execute("SET client_min_messages = log")
    conn.add_notice_handler(plans.add)
    conn.execute("SET auto_explain.log_min_duration = 0")
    try:
        yield plans
    finally:
        conn.execute("SET auto_explain.log_min_duration = -1")
        conn.remove_notice_handler(plans.add)


def write_season(conn: Connection, polls: int, steps: int) -> datetime:
    """Half of the polls live, half imported, all of it scored and public; return when the newest live poll was."""
    now = datetime.now(UTC)
    ids = IdRegistry(conn)
    sports = [ids.sport(f"sport_{n}", f"Sport {n}") for n in range(SPORTS)]
    ids.book("pinnacle", "Pinnacle")
    ids.event("e1", sports[0], "Owls", "Herons", now, now)
    conn.execute("INSERT INTO imports (format, path, sha256) VALUES ('football-data', 'x.csv', '\\x00')")
    compress = zstandard.ZstdCompressor().compress
    values = {
        "now": now,
        "times": compress(encode_columns(MarketConfirmations.empty())),
        "starts": compress(encode_columns(EventStarts.empty())),
    }
    names = {"sports": SPORTS, "polls": polls // 2, "steps": steps, "life": STEPS_A_LIFE, "open": OPEN_ALERTS}
    for statement in (
        *(LIVE_POLLS, IMPORTED_POLLS),
        *(UNFOLLOWED.format("DISABLE"), CLOSED_STEPS, UNFOLLOWED.format("ENABLE")),
        *(OPEN_STEPS, PUBLICATIONS, SUPPRESSIONS, SCORED),
    ):
        conn.execute(statement.format(**names), values)
    conn.execute("TRUNCATE alert_outbox, poll_outbox")
    conn.execute("VACUUM ANALYZE polls, alerts, alert_publications, suppressions, open_alerts, poll_totals")
    return now
