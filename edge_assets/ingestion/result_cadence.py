"""Whom to ask for which results, and when. Pure: facts in, decisions out; everything in the feed's time."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from edge_assets.ingestion.cadence import is_in_future
from edge_assets.reference.sports import find_family

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from edge_assets.ingestion.cadence import CreditBudget, FeedTerms

MIN_GAME_DURATION = timedelta(hours=2)
"""No game is over sooner; soccer is just then."""
RESULT_OVERDUE_AFTER = timedelta(hours=5)
"""After the start: the longest games are over, and The Odds API, which renews scores every 30 s, has stated them."""
SCORES_LOOKBACK = timedelta(days=3)
"""How far back `/scores` goes."""
SCORES_COST_CREDITS = 2
SCORES_CREDIT_RATIO = 0.1
"""Of the credits: results wait, prices do not, and ESPN is free. A plan of 20,000 asks every sport every 6 hours; one
of 500 leaves the results to ESPN."""
MIN_RESULT_INTERVAL = timedelta(minutes=30)


def has_open_bets(sport: str, periods: AbstractSet[str]) -> bool:
    """Whether results of `periods` leave bets open; soccer and ice hockey have bets on regulation."""
    if find_family(sport).settles_in_regulation:
        return "regulation" not in periods
    return not periods


def scores_interval(sports: int, now: datetime, terms: FeedTerms, budget: CreditBudget) -> timedelta:
    """How long to wait between two looks at the scores of one of `sports` sports, so that they take no more than their
    share of the credits; `timedelta.max` without credits. Unknown ones are asked for before the scores are.
    """
    if not terms.is_metered:
        return timedelta(0)
    if budget.remaining is None:
        return MIN_RESULT_INTERVAL
    affordable = math.floor(budget.remaining * SCORES_CREDIT_RATIO / SCORES_COST_CREDITS)
    if affordable <= 0:
        return timedelta.max
    return max(MIN_RESULT_INTERVAL, (budget.month_end - now) * sports / affordable)


def is_due(now: datetime, last: datetime | None, interval: timedelta) -> bool:
    """Whether to ask (again); a look that is ahead of now was noted by a clock that was wrong."""
    if interval == timedelta.max:
        return False
    return last is None or is_in_future(last, now) or now - last >= interval
