"""Credits and call rates per key."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edge_assets.sandbox.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class AccountQuota(NamedTuple):
    """The credits that the three headers state."""

    remaining: int
    used: int
    last: int

    def to_headers(self) -> dict[str, str]:
        """The API's header names."""
        return {f"x-requests-{name}": str(value) for name, value in self._asdict().items()}


@dataclass(slots=True)
class _CreditAccount:
    month: tuple[int, int]
    used: int = 0


class CreditAccounts:
    """Credits per key and month of virtual time, and the call rate per second of real time."""

    def __init__(
        self, credits_per_month: int, calls_per_second: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._credits = credits_per_month
        self._max_calls_per_second = calls_per_second
        self._monotonic = monotonic
        self._accounts: dict[str, _CreditAccount] = {}
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def check_rate_limit(self, key: str) -> None:
        """Count a call; reject it if there were too many in the last second."""
        now, calls = self._monotonic(), self._calls[key]
        while calls and calls[0] <= now - 1:
            calls.popleft()
        if len(calls) >= self._max_calls_per_second:
            raise ApiError("EXCEEDED_FREQ_LIMIT")
        calls.append(now)

    def require_credit(self, key: str, at: datetime) -> None:
        """Reject a call that costs when no credits are left (the last call may have overdrawn the account)."""
        if self.charge(key, 0, at).remaining <= 0:
            raise ApiError("OUT_OF_USAGE_CREDITS")

    def charge(self, key: str, cost: int, at: datetime) -> AccountQuota:
        """Charge a call's cost; the account is reset on the first of each month."""
        month = (at.year, at.month)
        account = self._accounts.setdefault(key, _CreditAccount(month))
        if month > account.month:
            account.month, account.used = month, 0
        account.used += cost
        return AccountQuota(self._credits - account.used, account.used, cost)
