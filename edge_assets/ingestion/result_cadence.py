"""Which source to ask for which results, and when. Pure: facts in, decisions out; all times are the feed's."""

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
"""No game ends sooner; soccer takes about that long."""
RESULT_OVERDUE_AFTER = timedelta(hours=5)
"""After the start: by then the longest games are over, and The Odds API, which updates scores every 30 s, has them."""
SCORES_LOOKBACK = timedelta(days=3)
"""How far back `/scores` reaches."""
SCORES_COST_CREDITS = 2
SCORES_CREDIT_RATIO = 0.1
"""The share of credits for results: they can wait, prices cannot, and ESPN is free. A plan of 20,000 polls every sport
every 6 hours; one of 500 leaves the results to ESPN."""
MIN_RESULT_INTERVAL = timedelta(minutes=30)


def has_open_bets(sport: str, periods: AbstractSet[str]) -> bool:
    """Whether results of `periods` leave bets open; soccer and ice hockey have bets on regulation."""
    if find_family(sport).settles_in_regulation:
        return "regulation" not in periods
    return not periods


def scores_interval(sports: int, now: datetime, terms: FeedTerms, budget: CreditBudget) -> timedelta:
    """How long to wait between two score polls of one of `sports` sports, so that they stay within their share of the
    credits; `timedelta.max` without credits. Unknown credits are requested before the scores are.
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
    """Whether to poll (again); a last poll in the future was written by a wrong clock and does not count."""
    if interval == timedelta.max:
        return False
    return last is None or is_in_future(last, now) or now - last >= interval
