"""Which of the feed's statements of its credits is the newest."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from edge_assets.ingestion.credits import newest_credits
from edge_assets.store.credits import CreditStatement, write_statement
from edge_assets.store.database import connect
from edge_assets.store.polling import LastLook

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_after_the_clock_was_set_back_what_was_stated_ahead_of_now_is_no_news(database_url: str) -> None:
    ahead = LastLook(NOW + HOUR, NOW + HOUR, (), 0.0, 900)
    put_behind = LastLook(NOW + HOUR, NOW - timedelta(seconds=1), (), 0.0, 500)
    with closing(connect(database_url, "test")) as conn:
        write_statement(conn, "odds-api", CreditStatement(NOW - HOUR, 600))
        write_statement(conn, "odds-api", CreditStatement(NOW + HOUR, 800))
        newest = newest_credits(conn, "odds-api", [ahead], NOW)
        assert newest == CreditStatement(NOW - HOUR, 600)
        newest = newest_credits(conn, "odds-api", [ahead, put_behind], NOW)
        assert newest == CreditStatement(NOW - timedelta(seconds=1), 500)
