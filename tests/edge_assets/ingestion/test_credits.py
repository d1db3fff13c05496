"""Which of the feed's statements of credits is the newest."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from edge_assets.ingestion.cadence import SMALLEST_PLAN_CREDITS, CreditBudget
from edge_assets.ingestion.credits import latest_credit_statement
from edge_assets.store.polls.credits import CreditStatement, write_credit_statement
from edge_assets.store.postgres.database import connect

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COST = 6
INSERT_POLL = """
INSERT INTO polls (sport_id, feed, run_id, observed_at, received_at, quotes_seen, ticks, withdrawals, events,
credits_last, credits_remaining, request_ms, body_bytes, market_times, starts)
VALUES (%s, 'odds-api', 'r', %s, %s, 0, 0, 0, 0, %s, %s, 0, 0, '', '')
"""


def test_statements_from_the_future_are_ignored_after_the_clock_was_set_back(database_url: str) -> None:
    with closing(connect(database_url, "test")) as conn:
        nfl, nba = (
            conn.execute("INSERT INTO sports (key, title) VALUES (%s, '') RETURNING id", [key]).fetchall()[0][0]
            for key in ("nfl", "nba")
        )
        conn.execute(INSERT_POLL, [nfl, NOW + HOUR, NOW + HOUR, COST, 900])
        write_credit_statement(conn, "odds-api", CreditStatement(NOW - HOUR, 600))
        write_credit_statement(conn, "odds-api", CreditStatement(NOW + HOUR, 800))
        assert latest_credit_statement(conn, "odds-api", COST, NOW) == CreditStatement(NOW - HOUR, 600)
        put_behind = timedelta(seconds=2)
        conn.execute(INSERT_POLL, [nba, NOW + HOUR, NOW - put_behind, COST, 500])
        assert latest_credit_statement(conn, "odds-api", COST, NOW) == CreditStatement(NOW - put_behind, 500)
        for cost in (None, 4):  # a proxy has removed the headers; one poll still states its cost
            put_behind -= timedelta(seconds=0.5)
            at = NOW + HOUR - put_behind
            conn.execute(INSERT_POLL, [nfl, at, NOW - put_behind, cost, None])
        assert latest_credit_statement(conn, "odds-api", COST, NOW) == CreditStatement(NOW - timedelta(seconds=2), 490)


def test_credits_are_assumed_only_if_none_were_stated_this_month(database_url: str) -> None:
    with closing(connect(database_url, "test")) as conn:
        [[nfl]] = conn.execute("INSERT INTO sports (key, title) VALUES ('nfl', '') RETURNING id").fetchall()
        write_credit_statement(conn, "odds-api", CreditStatement(NOW - timedelta(days=31), 19_999_928))
        write_credit_statement(conn, "odds-api", CreditStatement(NOW - HOUR, None, COST, nfl))
        assert (
            CreditBudget.from_statement(NOW, latest_credit_statement(conn, "odds-api", COST, NOW)).remaining is None
        ), "the feed was not asked"
        write_credit_statement(conn, "odds-api", CreditStatement(NOW, None))
        assert (
            CreditBudget.from_statement(NOW, latest_credit_statement(conn, "odds-api", COST, NOW)).remaining
            == SMALLEST_PLAN_CREDITS
        )
        write_credit_statement(conn, "odds-api", CreditStatement(NOW - 2 * HOUR, 700))
        assert (
            CreditBudget.from_statement(NOW, latest_credit_statement(conn, "odds-api", COST, NOW)).remaining
            == 700 - COST
        )
