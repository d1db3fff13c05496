"""What a burst reports on each sport when it ends."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edge_assets.feeds.odds_api.client import Payload
    from edge_assets.ingestion.session import CommittedPoll


@dataclass(slots=True)
class SportReport:
    """Counts of one sport's polls in one burst. Times are milliseconds of real time.

    `repeats` are responses that the feed had given before (at the end of a recording); they are not stored.
    `published_late` polls waited in the outbox, and their latency is not recorded. `credits_used` includes failed
    polls. `failure` is why the sport's last poll was refused, if it was; `end_reason` why polling ended.
    """

    sport: str
    polls: int = 0
    repeats: int = 0
    published_late: int = 0
    quotes_seen: int = 0
    rows: int = 0
    withdrawals: int = 0
    credits_used: int = 0
    credits_remaining: int | None = None
    rejected: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    request_ms: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    failure: str | None = None
    end_reason: str = ""

    def add_poll(self, payload: Payload, stored: CommittedPoll) -> None:
        """Count one stored poll."""
        self.polls += 1
        self.quotes_seen += stored.diff.quotes_seen
        self.rows += len(stored.diff.quotes)
        self.withdrawals += int(np.isnan(stored.diff.quotes.price).sum())
        self.rejected += stored.diff.rejected
        self.credits_used += payload.spending.credits
        if payload.quota.remaining is not None:
            self.credits_remaining = payload.quota.remaining
        self.request_ms.append(payload.request_ms)

    def to_metadata(self) -> dict[str, int | float | str]:
        """Flat values for the materialization; percentiles only if something was measured."""
        values: dict[str, int | float | str] = {
            "polls": self.polls,
            "repeats": self.repeats,
            "published_late": self.published_late,
            "quotes_seen": self.quotes_seen,
            "rows": self.rows,
            "changed": self.rows - self.withdrawals,
            "withdrawals": self.withdrawals,
            "credits_used": self.credits_used,
            "ended": self.end_reason,
        }
        if self.credits_remaining is not None:
            values["credits_remaining"] = self.credits_remaining
        values |= _percentiles("latency", self.latency_ms) | _percentiles("request", self.request_ms)
        values |= {f"rejected/{reason}": n for reason, n in sorted(self.rejected.items())}
        return values | {f"error/{name}": n for name, n in sorted(self.errors.items())}


def _percentiles(name: str, milliseconds: list[float]) -> dict[str, float]:
    if not milliseconds:
        return {}
    p50, p95 = np.percentile(milliseconds, (50, 95))
    return {f"{name}_p50_ms": round(float(p50), 2), f"{name}_p95_ms": round(float(p95), 2)}
