"""What a response and its changes become: a row of `polls`, and the activity for the scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.feeds.odds_api.quota import stated_cost
from edge_assets.ingestion.cadence import SportActivity
from edge_assets.store.polls.activity import movement, start_times
from edge_assets.store.polls.writer import PollRecord

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.odds_api.client import Payload
    from edge_assets.feeds.odds_api.diff import Diff


class PollTimes(NamedTuple):
    """The last committed poll of a sport: its time in the feed's time, and its receipt by the wall clock."""

    observed_at: datetime
    received_at: datetime


def build_poll_record(payload: Payload, diff: Diff, sport_id: int, feed: str, run_id: str) -> PollRecord:
    """The poll as it is stored."""
    return PollRecord(
        sport_id=sport_id,
        feed=feed,
        run_id=run_id,
        observed_at=to_micros(payload.observed_at),
        received_at=payload.received_at,
        quotes_seen=diff.quotes_seen,
        events=diff.events,
        request_ms=payload.request_ms,
        body=payload.body,
        rejected={reason: n for reason, n in diff.rejected.items() if n},
        credits_last=stated_cost(payload.wasted, payload.quota),
        credits_used=payload.quota.used,
        credits_remaining=payload.quota.remaining,
    )


def activity_after_poll(diff: Diff, previous: datetime | None, now: datetime) -> SportActivity:
    """The sport's activity as this poll shows it."""
    changed = int(np.isfinite(diff.quotes.price).sum())
    return SportActivity(start_times(diff.starts), movement(changed, diff.quotes_seen, previous, now), last_poll=now)
