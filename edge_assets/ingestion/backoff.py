"""What a failed poll means: which problem it is, and how long to wait before the next one. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.errors import (
    ApiStatusError,
    ClockAheadError,
    InvalidApiKeyError,
    OddsApiError,
    OutOfCreditsError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from edge_assets.store.health.problems import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_RETRY_SECONDS = 2.0
MAX_RETRY_SECONDS = 60.0
CLIENT_ERROR_RETRY_SECONDS = 60.0
"""A refused request is refused again, but asking is free."""
MAX_CLIENT_ERROR_RETRY_SECONDS = 300.0
MAX_DOUBLINGS = 10

POLLING_PROBLEMS = frozenset(
    {
        ProblemKind.KEY_REFUSED,
        ProblemKind.OUT_OF_CREDITS,
        ProblemKind.FEED_UNREACHABLE,
        ProblemKind.FEED_ANSWER_UNUSABLE,
        ProblemKind.POLL_NOT_STORED,
    }
)
"""The problems of a sport that a successful poll clears."""
EXPECTED_REJECTION_REASONS = frozenset({"price_missing", "price_not_above_one", "price_absurd"})
"""How feeds mark a suspended selection."""


def classify_failure(error: Exception) -> ProblemKind:
    """The kind of problem that a failed poll indicates."""
    if isinstance(error, InvalidApiKeyError):
        return ProblemKind.KEY_REFUSED
    if isinstance(error, OutOfCreditsError):
        return ProblemKind.OUT_OF_CREDITS
    if isinstance(error, TransportError | RateLimitedError | ServerError):
        return ProblemKind.FEED_UNREACHABLE
    if isinstance(error, ClockAheadError):
        return ProblemKind.CLOCK_CHANGED
    return ProblemKind.FEED_ANSWER_UNUSABLE if isinstance(error, OddsApiError) else ProblemKind.POLL_NOT_STORED


def is_client_error(error: Exception) -> bool:
    """Whether the feed understood the request and refuses it."""
    return isinstance(error, ApiStatusError) and not isinstance(error, RateLimitedError | ServerError)


def retry_delay(error: Exception, failures: int, paid_responses: int, interval: float) -> float:
    """Seconds to wait after a sport's failure number `failures` (from 1).

    A request that may have been charged is repeated at the sport's own interval (`interval` seconds for each of
    `paid_responses`; 0 if nothing is charged, infinite without credits), so that failing costs no more than working. A
    free one is retried sooner.
    """
    doublings = 2.0 ** min(failures - 1, MAX_DOUBLINGS)
    if isinstance(error, OutOfCreditsError) and math.isinf(interval):
        return math.inf
    if is_client_error(error):
        longest = min(MAX_CLIENT_ERROR_RETRY_SECONDS, max(interval, CLIENT_ERROR_RETRY_SECONDS))
        return min(CLIENT_ERROR_RETRY_SECONDS * doublings, longest)
    asked_for = error.retry_after_seconds or 0.0 if isinstance(error, ApiStatusError) else 0.0
    wait = min(max(FIRST_RETRY_SECONDS * doublings, asked_for), MAX_RETRY_SECONDS)
    return max(wait, interval * paid_responses if paid_responses else 0.0)


def format_unexpected_rejections(rejected: Mapping[str, int]) -> str:
    """The rejected parts of a response that a sound one never has, as text; empty if there are none."""
    unexpected = {reason: n for reason, n in sorted(rejected.items()) if n and reason not in EXPECTED_REJECTION_REASONS}
    return ", ".join(f"{n} {reason}" for reason, n in unexpected.items())
