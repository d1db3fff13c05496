"""Credits, as the API states them with every response."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Quota(NamedTuple):
    """Credits of the key: this call's cost, used and remaining this month; None if not stated or unreadable.

    `remaining` can be negative: counters are shared by all users of a key and lag behind.
    """

    last: int | None = None
    used: int | None = None
    remaining: int | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Quota:
        """Read the `x-requests-*` headers."""
        return cls(*(_parse_number(headers.get(f"x-requests-{name}")) for name in cls._fields))

    def after(self, earlier: Quota) -> Quota:
        """This quota, with `used` and `remaining` from an earlier attempt if this response does not state them."""
        return self if self.remaining is not None else self._replace(used=earlier.used, remaining=earlier.remaining)

    @property
    def is_exhausted(self) -> bool:
        """Whether the API stated that no credits are left; False if unknown."""
        return self.remaining is not None and self.remaining <= 0


class Spending(NamedTuple):
    """The cost of responses: `credits` as stated, and how many `responses` may have been charged."""

    credits: int = 0
    responses: int = 0

    def add(self, quota: Quota, *, is_charged: bool) -> Spending:
        """Add one response, by its stated cost, or by `is_charged` if it states none."""
        cost = max(quota.last or 0, 0)
        counts = is_charged if quota.last is None else cost > 0
        return Spending(self.credits + cost, self.responses + counts)


def stated_cost(wasted: Spending, quota: Quota) -> int | None:
    """Credits of a response and of the `wasted` attempts before it; None if none of them stated any."""
    spent = wasted.add(quota, is_charged=True).credits
    return spent if quota.last is not None or spent else None


def _parse_number(text: str | None) -> int | None:
    """An integer that fits into a column."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None


NO_SPENDING = Spending()
UNKNOWN_QUOTA = Quota()
