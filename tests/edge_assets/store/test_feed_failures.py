"""Sports whose polls fail, and what failed polls cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge_assets.store.health.feed_failures import clear_failure, load_feed_failures, record_failure
from edge_assets.store.health.problems import ProblemKind
from edge_assets.store.polls.credits import (
    CreditStatement,
    find_newest_credit_statement,
    load_newest_silent_poll,
    write_credit_statement,
)

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

NFL = "americanfootball_nfl"
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_failures_count_up_and_delay_the_next_attempt(harness: StoreHarness) -> None:
    record_failure(harness.conn, harness.sport, ProblemKind.FEED_UNREACHABLE, 2.0, "down")
    first = load_feed_failures(harness.conn)[NFL]
    record_failure(
        harness.conn, harness.sport, ProblemKind.FEED_ANSWER_UNUSABLE, 60.0, "cut off \x00\ud83d" + "x" * 9_000
    )
    again = load_feed_failures(harness.conn)[NFL]
    assert (first.failures, again.failures, again.kind) == (1, 2, "feed_answer_unusable")
    assert first.failing_since == again.failing_since < again.failed_at
    assert again.retry_at - again.failed_at == timedelta(seconds=60)
    assert again.error.startswith("cut off")
    clear_failure(harness.conn, harness.sport)
    assert load_feed_failures(harness.conn) == {}


def test_the_costs_of_failed_polls_are_kept_and_summed(harness: StoreHarness) -> None:
    write_credit_statement(harness.conn, "odds-api", CreditStatement(AT, 500))
    for left in (494, 488):
        failed = CreditStatement(AT + timedelta(minutes=1), left, 6, harness.sport)
        write_credit_statement(harness.conn, "odds-api", failed)
    newest = find_newest_credit_statement(harness.conn, "odds-api", AT + timedelta(hours=1))
    assert newest == CreditStatement(AT + timedelta(minutes=1), 488)
    spent = harness.conn.execute("SELECT sport_id, spent FROM credit_statements ORDER BY stated_at").fetchall()
    assert spent == [(None, 0), (harness.sport, 12)]


def test_a_response_with_its_cost_but_no_balance_counts_as_spending_only(
    harness: StoreHarness,
) -> None:
    write_credit_statement(harness.conn, "odds-api", CreditStatement(AT, 19_999_928))
    write_credit_statement(harness.conn, "odds-api", CreditStatement(AT + timedelta(minutes=1), None, 6, harness.sport))
    write_credit_statement(harness.conn, "odds-api", CreditStatement(AT + timedelta(minutes=2), None))
    later = AT + timedelta(hours=1)
    assert find_newest_credit_statement(harness.conn, "odds-api", later) == CreditStatement(AT, 19_999_922)
    assert load_newest_silent_poll(harness.conn, "odds-api", later) == CreditStatement(AT + timedelta(minutes=2), None)
