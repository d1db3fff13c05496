"""What a file says of times to come: odds that nobody can have seen and results of what has not begun are left out.

An event to come stays, and so does what was seen of it by now.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.core.clock import to_datetime
from edge_assets.importers.formats.batch import Rejection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_assets.feeds.recordings.source import Capture
    from edge_assets.importers.formats.batch import ParsedBatch, ParsedEvent, Rejections, TimedQuotes
    from ml.quotes import Micros

CLOCKS_DIFFER_BY: Micros = 5 * 60 * 1_000_000
MAX_ASSUMED_FUTURE: Micros = 86_400 * 1_000_000
"""Where only the day is known, what happened this morning may be assumed for the evening."""
REMEDY = "check the date there, and the clock of this machine"


def reject_future_times(batch: ParsedBatch, now: Micros, file: str, refused: Rejections) -> ParsedBatch:
    """The batch as it can be known by now; what cannot is counted.

    A result of an event that has not begun tells that its date is wrong: then nothing of the event is used.
    """
    begun = np.array([_may_have_started(event, now) for event in batch.events], bool)
    odd = [event for event, is_sound in zip(batch.events, begun.tolist(), strict=True) if not is_sound]
    for event in odd:
        detail = f"{event.home} - {event.away} begins {to_datetime(event.start):%Y-%m-%d %H:%M} UTC"
        refused.add(Rejection(file, "result_before_start", detail, REMEDY))
    batch = batch.select_events(begun) if odd else batch
    if batch.time_assumed:
        timed = [_cap_at_now(timed, now) for timed in (batch.quotes, batch.aggregates)]
        batch = replace(batch, quotes=timed[0], aggregates=timed[1])
    until = now + (MAX_ASSUMED_FUTURE if batch.time_assumed else CLOCKS_DIFFER_BY)
    latest = int(max(batch.observation_times(), default=until))
    bets = [bets for bets in batch.public_bets if bets.observed_at <= until]
    ahead = len(batch.public_bets) - len(bets)
    if latest > until:
        kept = [timed.take(timed.observed_at <= until) for timed in (batch.quotes, batch.aggregates)]
        ahead += len(batch.quotes) + len(batch.aggregates) - sum(map(len, kept)) + int((batch.poll_times > until).sum())
        batch = replace(batch.select_polls(batch.poll_times <= until), quotes=kept[0], aggregates=kept[1])
    if ahead:
        detail = f"{ahead:,} observations, up to {to_datetime(latest):%Y-%m-%d %H:%M} UTC"
        refused.add(Rejection(file, "time_in_future", detail, REMEDY), ahead)
    return replace(batch, public_bets=bets)


def reject_future_captures(now: Micros, captures: Sequence[Capture], file: str, refused: Rejections) -> list[Capture]:
    """The captures that can have been made by now; the others are counted."""
    until = to_datetime(now + CLOCKS_DIFFER_BY)
    ahead = [capture for capture in captures if capture.at > until]
    for capture in ahead:
        detail = f"{capture.sport} as of {capture.at:%Y-%m-%d %H:%M} UTC"
        refused.add(Rejection(file, "time_in_future", detail, REMEDY))
    return [capture for capture in captures if capture.at <= until]


def _cap_at_now(timed: TimedQuotes, now: Micros) -> TimedQuotes:
    """Where a time is assumed and lies ahead, the first price of a selection is what stands now, in the file."""
    event, book, market, outcome, point, *_ = timed.quotes.columns()
    keys = np.stack([event, book, market, outcome, np.nan_to_num(point * 4).astype(np.int64)])
    order = np.lexsort((timed.observed_at, *keys))
    is_first = np.ones(len(order), bool)
    is_first[order[1:]] = (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0)
    at = np.where(is_first & (timed.observed_at > now + MAX_ASSUMED_FUTURE), now, timed.observed_at)
    return replace(timed, observed_at=at)


def _may_have_started(event: ParsedEvent, now: Micros) -> bool:
    """Whether an event has no result, or may have begun."""
    start = min(event.start, event.moved_to[0]) if event.moved_to else event.start
    return event.report is None or start <= now + (MAX_ASSUMED_FUTURE if event.start_assumed else CLOCKS_DIFFER_BY)
