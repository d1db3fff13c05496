"""Credits, as the API states them with every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Quota(NamedTuple):
    """Credits of the key: this call's cost, used and remaining this month; None where not (legibly) stated.

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
        """With what an earlier answer to the same request stated, where this one does not say what is left."""
        return self if self.remaining is not None else self._replace(used=earlier.used, remaining=earlier.remaining)

    @property
    def is_exhausted(self) -> bool:
        """Whether the API said that no credit is left; not knowing is not being out of them."""
        return self.remaining is not None and self.remaining <= 0


class Spending(NamedTuple):
    """What answers cost: `credits` as they stated them, `answers` how many may have cost a call's credits."""

    credits: int = 0
    answers: int = 0

    def add(self, quota: Quota, *, is_charged: bool) -> Spending:
        """With one more answer; what it states counts, and where it states nothing, whether it `is_charged`."""
        cost = max(quota.last or 0, 0)
        counts = is_charged if quota.last is None else cost > 0
        return Spending(self.credits + cost, self.answers + counts)


def stated_cost(wasted: Spending, quota: Quota) -> int | None:
    """Credits of an answer and of those before it, which were `wasted`; None where none of them says."""
    spent = wasted.add(quota, is_charged=True).credits
    return spent if quota.last is not None or spent else None


def _parse_number(text: str | None) -> int | None:
    """A whole number that a column can hold."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None


NO_SPENDING = Spending()
UNKNOWN_QUOTA = Quota()
