"""Results can wait, prices cannot: what scores may cost, and which results are still missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from edge_assets.ingestion.cadence import CreditBudget, FeedTerms
from edge_assets.ingestion.result_cadence import (
    MIN_RESULT_INTERVAL,
    SCORES_COST_CREDITS,
    SCORES_CREDIT_RATIO,
    has_open_bets,
    is_due,
    scores_interval,
)

NOW = datetime(2025, 11, 10, tzinfo=UTC)
MONTH_ENDS = datetime(2025, 12, 1, tzinfo=UTC)
PAID = FeedTerms(is_metered=True, credits_per_poll=6)


@pytest.mark.parametrize("plan", [300, 2_000, 20_000])
def test_a_month_of_score_polls_stays_within_its_share(plan: int) -> None:
    interval = scores_interval(9, NOW, PAID, CreditBudget(plan, MONTH_ENDS))
    assert (MONTH_ENDS - NOW) / interval * 9 * SCORES_COST_CREDITS <= SCORES_CREDIT_RATIO * plan
    assert interval >= MIN_RESULT_INTERVAL


def test_scores_are_never_due_without_credits_and_always_without_a_meter() -> None:
    for plan in (-60, 0, 10):
        interval = scores_interval(1, NOW, PAID, CreditBudget(plan, MONTH_ENDS))
        assert not is_due(NOW, None, interval)
    free = scores_interval(9, NOW, FeedTerms(is_metered=False), CreditBudget(0, MONTH_ENDS))
    assert is_due(NOW, NOW, free)


def test_a_poll_is_due_after_its_interval() -> None:
    assert is_due(NOW, None, MIN_RESULT_INTERVAL)
    assert is_due(NOW, NOW - MIN_RESULT_INTERVAL, MIN_RESULT_INTERVAL)
    assert not is_due(NOW, NOW - MIN_RESULT_INTERVAL + timedelta(seconds=1), MIN_RESULT_INTERVAL)
    assert is_due(NOW, NOW + timedelta(hours=1), MIN_RESULT_INTERVAL), "the clock was set back"


@pytest.mark.parametrize(
    ("sport", "periods", "is_open"),
    [
        ("americanfootball_nfl", set(), True),
        ("americanfootball_nfl", {"full"}, False),
        ("soccer_fifa_world_cup", {"unstated"}, True),
        ("soccer_fifa_world_cup", {"full", "unstated"}, True),
        ("soccer_epl", {"full", "regulation"}, False),
        ("icehockey_nhl", {"full"}, True),
    ],
)
def test_soccer_and_ice_hockey_need_regulation_results(sport: str, periods: set[str], is_open: bool) -> None:
    assert has_open_bets(sport, periods) is is_open
