"""Reject data from the future: quotes dated after now, and results of events that have not started.

Future events stay, with what was observed of them until now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_datetime
from edge_assets.importers.formats.batch import Rejection
from ml.quotes import MICROS_PER_DAY, MICROS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_assets.feeds.recordings.source import Capture
    from edge_assets.importers.formats.batch import ParsedBatch, ParsedEvent, Rejections, TimedQuotes
    from ml.quotes import Micros

MAX_LEAD_MICROS: Micros = 5 * 60 * MICROS_PER_SECOND
MAX_ASSUMED_LEAD_MICROS: Micros = MICROS_PER_DAY
"""If only the day is known, something from this morning may be assumed in the evening."""
REMEDY = "check the date in the file and the clock of this machine"


def reject_future_times(batch: ParsedBatch, now: Micros, file: str, rejections: Rejections) -> ParsedBatch:
    """Drop and count what cannot be known by now.

    A result of an event that has not started means that its date is wrong: then the whole event is dropped.
    """
    started = np.array([_may_have_started(event, now) for event in batch.events], bool)
    invalid = [event for event, is_valid in zip(batch.events, started.tolist(), strict=True) if not is_valid]
    for event in invalid:
        detail = f"{event.home} - {event.away} starts {to_datetime(event.start):%Y-%m-%d %H:%M} UTC"
        rejections.add(Rejection(file, "result_before_start", detail, REMEDY))
    batch = batch.select_events(started) if invalid else batch
    if batch.time_assumed:
        timed = [_cap_at_now(timed, now) for timed in (batch.quotes, batch.aggregates)]
        batch = replace(batch, quotes=timed[0], aggregates=timed[1])
    until = now + (MAX_ASSUMED_LEAD_MICROS if batch.time_assumed else MAX_LEAD_MICROS)
    latest = int(max(batch.observation_times(), default=until))
    bets = [bets for bets in batch.public_bets if bets.observed_at <= until]
    ahead = len(batch.public_bets) - len(bets)
    if latest > until:
        kept = [timed.take(timed.observed_at <= until) for timed in (batch.quotes, batch.aggregates)]
        ahead += len(batch.quotes) + len(batch.aggregates) - sum(map(len, kept)) + int((batch.poll_times > until).sum())
        batch = replace(batch.select_polls(batch.poll_times <= until), quotes=kept[0], aggregates=kept[1])
    if ahead:
        detail = f"{ahead:,} observations, up to {to_datetime(latest):%Y-%m-%d %H:%M} UTC"
        rejections.add(Rejection(file, "time_in_future", detail, REMEDY), ahead)
    return replace(batch, public_bets=bets)


def reject_future_captures(
    now: Micros, captures: Sequence[Capture], file: str, rejections: Rejections
) -> list[Capture]:
    """The captures that are not from the future; the others are rejected."""
    until = to_datetime(now + MAX_LEAD_MICROS)
    ahead = [capture for capture in captures if capture.at > until]
    for capture in ahead:
        detail = f"{capture.sport} as of {capture.at:%Y-%m-%d %H:%M} UTC"
        rejections.add(Rejection(file, "time_in_future", detail, REMEDY))
    return [capture for capture in captures if capture.at <= until]


def _cap_at_now(timed: TimedQuotes, now: Micros) -> TimedQuotes:
    """If an assumed time is in the future, move the first price of each selection to now: the file was made by then."""
    event, book, market, outcome, point, *_ = timed.quotes.columns()
    keys = np.stack([event, book, market, outcome, np.nan_to_num(point * 4).astype(np.int64)])
    order = np.lexsort((timed.observed_at, *keys))
    is_first = np.ones(len(order), bool)
    is_first[order[1:]] = (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0)
    at = np.where(is_first & (timed.observed_at > now + MAX_ASSUMED_LEAD_MICROS), now, timed.observed_at)
    return replace(timed, observed_at=at)


def _may_have_started(event: ParsedEvent, now: Micros) -> bool:
    """Whether an event has no result, or may have started."""
    start = min(event.start, event.moved_to[0]) if event.moved_to else event.start
    return event.report is None or start <= now + (MAX_ASSUMED_LEAD_MICROS if event.start_assumed else MAX_LEAD_MICROS)
