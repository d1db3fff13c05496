"""The credits of a metered feed: what is left, where they go, and whether they last until the end of the month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_assets.store.polls.credit_use import CreditUse

DAY = timedelta(days=1)
MIN_WINDOW = timedelta(hours=1)
"""Spending over a shorter time cannot be extrapolated to a month."""


@dataclass(frozen=True, slots=True)
class CreditForecast:
    """Credits `remaining` (None: the feed does not state them), `used_today` (since midnight UTC) and by sport.

    `left_at_month_end` extrapolates the last day's pace to the 1st (negative: that many are missing); None if nothing
    was spent or nothing is known. `runs_out_at` is when they run out before that, else None.
    """

    remaining: int | None
    stated_at: datetime | None
    used_today: int
    by_sport: dict[str, int]
    left_at_month_end: int | None
    runs_out_at: datetime | None
    month_end: datetime

    @property
    def summary(self) -> str:
        """The forecast in one line."""
        left = "the feed has not stated how many are left" if self.remaining is None else f"{self.remaining:,} left"
        words = [left, f"{self.used_today:,} used today"]
        if self.runs_out_at:
            words.append(f"at this pace they run out on {self.runs_out_at:%Y-%m-%d}")
        elif self.left_at_month_end is not None:
            words.append(f"at this pace {self.left_at_month_end:,} will be left on {self.month_end:%Y-%m-%d}")
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        """The forecast as JSON."""
        return {
            "remaining": self.remaining,
            "stated_at": self.stated_at and self.stated_at.isoformat(),
            "used_today": self.used_today,
            "by_sport_today": self.by_sport,
            "left_at_month_end": self.left_at_month_end,
            "lasts_until": self.runs_out_at and self.runs_out_at.isoformat(),
            "month_ends": self.month_end.isoformat(),
        }


def day_start(now: datetime) -> datetime:
    """The midnight (UTC) before `now`."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def next_renewal(now: datetime) -> datetime:
    """When the credits are renewed: on the 1st of next month (UTC)."""
    return (day_start(now).replace(day=1) + timedelta(days=32)).replace(day=1)


def forecast_credits(use: CreditUse, now: datetime) -> CreditForecast:
    """Extrapolate the credits until the end of the month at the pace of the last day."""
    renewal = next_renewal(now)
    by_sport = dict(sorted(use.today.items(), key=lambda item: -item[1]))
    left, runs_out_at = _extrapolate(use, now, renewal)
    return CreditForecast(use.remaining, use.stated_at, sum(use.today.values()), by_sport, left, runs_out_at, renewal)


def _extrapolate(use: CreditUse, now: datetime, renewal: datetime) -> tuple[int | None, datetime | None]:
    if use.remaining is None:
        return None, None
    spent = sum(use.recent.values())
    if not spent or use.recent_since is None:
        return use.remaining, None
    window = min(max(now - use.recent_since, MIN_WINDOW), DAY)
    left = use.remaining - round(spent * ((renewal - now) / window))
    runs_out_at = now + window * (max(use.remaining, 0) / spent)
    return left, runs_out_at if runs_out_at < renewal else None
