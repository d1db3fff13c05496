"""Polls of one sport and feed in time order, and inserting earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.store.polls.as_of import load_market_state
from edge_assets.store.polls.keyframes import Poll, load_quotes_on_offer
from edge_assets.store.polls.packing import pack_columns, unpack
from edge_assets.store.polls.scope import FEATURED_MARKETS, Listing, Scope
from edge_assets.store.postgres.binary_copy import copy_ticks
from ml.quotes import QuoteBatch
from ml.quotes.coverage import PayloadContents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from ml.quotes import Micros
    from ml.quotes.coverage import CoverageTracker

SELECT_POLLS = """
SELECT id, observed_at, scope FROM admitted_polls WHERE sport_id = %s AND feed = %s AND observed_at <= %s
ORDER BY observed_at
"""
SELECT_PREVIOUS_POLL = """
SELECT p.id
FROM admitted_polls AS p INNER JOIN polls AS later ON p.sport_id = later.sport_id AND p.feed = later.feed
WHERE later.id = %s AND p.observed_at < later.observed_at ORDER BY p.observed_at DESC LIMIT 1
"""
SELECT_PAYLOAD = "SELECT body FROM payloads WHERE observed_at = %s AND poll_id = %s"
UPDATE_POLL_LISTING = "UPDATE polls SET market_times = %s, starts = %s WHERE id = %s"


class StoredPoll(NamedTuple):
    """A stored poll of a whole sport or, with a scope, of a part."""

    poll: Poll
    scope: Scope | None


def load_polls(conn: Connection, sport_id: int, feed: str, until: datetime | str = "infinity") -> list[StoredPoll]:
    """Every poll of a sport by one feed up to a moment, in time order."""
    rows = conn.execute(SELECT_POLLS, [sport_id, feed, until])
    return [StoredPoll(Poll(poll, at), scope and Scope.from_json(scope)) for poll, at, scope in rows]


def load_payload(conn: Connection, stored: StoredPoll) -> bytes | None:
    """A poll's payload; None if it is no longer kept."""
    row = conn.execute(SELECT_PAYLOAD, [stored.poll.observed_at, stored.poll.id]).fetchone()
    return unpack(row[0]) if row else None


def load_listing(conn: Connection, sport_id: int, stored: StoredPoll) -> Listing:
    """The listing after a poll."""
    times, starts, _ = load_market_state(conn, sport_id, stored.poll.id)
    return Listing(times, starts)


def effective_scopes(polls: Iterable[StoredPoll], coverage: CoverageTracker[int]) -> dict[int, Scope | None]:
    """The scope of each poll, given all of them in time order, extended by what `coverage` finds withdrawn."""
    return {
        stored.poll.id: stored.scope and effective_scope(stored.scope, to_micros(stored.poll.observed_at), coverage)
        for stored in polls
    }


def effective_scope(shown: Scope, at: Micros, coverage: CoverageTracker[int]) -> Scope:
    """The scope of the next poll, which shows `shown` at a moment."""
    if shown.starts is None:
        return shown
    return shown._replace(**coverage.update(PayloadContents(shown.books, shown.markets, shown.starts, at))._asdict())


def find_affected_polls(later: Iterable[StoredPoll], events: Collection[int], inserted: Scope) -> Iterator[StoredPoll]:
    """The later polls that are affected by polls inserted before them.

    The inserted polls cover `events` singly and `inserted` of the whole sport. Affected is everything until the next
    poll that covers all of that, and after it single polls of the same events.
    """
    is_replaced = False
    for stored in later:
        if not is_replaced or (stored.scope and stored.scope.event in events):
            yield stored
        scope = stored.scope
        is_replaced = is_replaced or scope is None or scope.includes(inserted)


def insert_polls_before(
    conn: Connection,
    sport_id: int,
    later: Sequence[StoredPoll],
    write: Callable[[], Iterable[int]],
    get_scopes: Callable[[], Mapping[int, Scope | None]],
) -> int:
    """Let `write` store polls older than `later`, and repair the later ones with ticks; return the number of ticks.

    `write` returns the events listed by the last of its polls, `get_scopes` the current scope of every poll. What a
    later poll covers must be on offer after it as before.
    """
    with conn.transaction():
        scopes = get_scopes()
        quotes_before = [_covered_quotes(conn, sport_id, stored, scopes[stored.poll.id], ()) for stored in later]
        written = list(write())
        scopes = get_scopes()
        return sum(
            _restore_quotes(conn, sport_id, stored, scopes[stored.poll.id], before, written)
            for stored, before in zip(later, quotes_before, strict=True)
        )


def _restore_quotes(
    conn: Connection,
    sport_id: int,
    stored: StoredPoll,
    scope: Scope | None,
    quotes_before: QuoteBatch,
    written: Sequence[int],
) -> int:
    if scope:
        _recompute_listing(conn, sport_id, stored, scope)
    repair = diff_quotes(_covered_quotes(conn, sport_id, stored, scope, written), quotes_before)
    with conn.cursor() as cursor:
        copy_ticks(cursor, repair, to_micros(stored.poll.observed_at), stored.poll.id)
    return len(repair)


def _covered_quotes(
    conn: Connection, sport_id: int, stored: StoredPoll, scope: Scope | None, extra_events: Sequence[int]
) -> QuoteBatch:
    """The quotes on offer after a poll within its scope, including `extra_events` that a poll of the sport covers."""
    if scope and scope.event is not None:
        quotes, _ = load_quotes_on_offer(conn, [scope.event], stored.poll)
        return quotes.take(scope.covered_mask(quotes))
    times, starts = load_listing(conn, sport_id, stored)
    quotes, _ = load_quotes_on_offer(conn, sorted({*starts.event.tolist(), *extra_events}), stored.poll)
    if scope:
        return quotes.take(scope.covered_mask(quotes))
    return quotes.take(np.isin(quotes.market, [*FEATURED_MARKETS, *times.market]))


def _recompute_listing(conn: Connection, sport_id: int, stored: StoredPoll, scope: Scope) -> None:
    """Recompute a poll's listing: outside its scope, that of the poll before it."""
    before = conn.execute(SELECT_PREVIOUS_POLL, [stored.poll.id]).fetchone()
    if before:
        times, starts, _ = load_market_state(conn, sport_id, before[0])
        merged = Listing(times, starts).with_poll(
            scope, load_listing(conn, sport_id, stored), to_micros(stored.poll.observed_at)
        )
        conn.execute(UPDATE_POLL_LISTING, [*(pack_columns(columns) for columns in merged), stored.poll.id])


def diff_quotes(current: QuoteBatch, target: QuoteBatch) -> QuoteBatch:
    """The ticks, withdrawals included, that turn `current` into `target`."""
    current_quotes, target_quotes = _by_selection(current), _by_selection(target)
    changed = [
        (*key, *value) for key, value in target_quotes.items() if current_quotes.get(key, (None,))[0] != value[0]
    ]
    gone = [(*key, np.nan, value[1]) for key, value in current_quotes.items() if key not in target_quotes]
    rows = [(*row[:4], np.nan if row[4] is None else row[4], *row[5:]) for row in [*changed, *gone]]
    return QuoteBatch.from_rows(rows)


def _by_selection(quotes: QuoteBatch) -> dict[tuple[int | float | None, ...], tuple[float, int]]:
    rows = zip(*(column.tolist() for column in quotes.columns()), strict=True)
    return {(*row[:4], None if np.isnan(row[4]) else row[4]): (row[5], row[6]) for row in rows}
