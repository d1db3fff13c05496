"""Looks of one feed at a sport in order of time, and putting some in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import zstandard

from edge_assets.core.clock import to_micros
from edge_assets.store.polls.as_of import load_market_state
from edge_assets.store.polls.keyframes import Poll, load_quotes_on_offer
from edge_assets.store.polls.scope import FEATURED_MARKETS, Listing, Scope
from edge_assets.store.postgres.binary_copy import copy_ticks
from ml.quotes import QuoteBatch, encode_columns
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
    """A look in time, at a whole sport or (with a scope) at a part."""

    poll: Poll
    scope: Scope | None


def load_polls(conn: Connection, sport_id: int, feed: str, until: datetime | str = "infinity") -> list[StoredPoll]:
    """Every look of a feed at a sport up to a moment, in order of time."""
    rows = conn.execute(SELECT_POLLS, [sport_id, feed, until])
    return [StoredPoll(Poll(poll, at), scope and Scope.from_json(scope)) for poll, at, scope in rows]


def load_payload(conn: Connection, stored: StoredPoll) -> bytes | None:
    """The answer that a look was; None where it is not kept any more."""
    row = conn.execute(SELECT_PAYLOAD, [stored.poll.observed_at, stored.poll.id]).fetchone()
    return zstandard.decompress(row[0]) if row else None


def load_listing(conn: Connection, sport_id: int, stored: StoredPoll) -> Listing:
    """What stands after a look."""
    times, starts, _ = load_market_state(conn, sport_id, stored.poll.id)
    return Listing(times, starts)


def effective_scopes(polls: Iterable[StoredPoll], coverage: CoverageTracker[int]) -> dict[int, Scope | None]:
    """What each of the looks, which are all of them in order of time, covers: with the books that it only lacks."""
    return {
        look.poll.id: look.scope and effective_scope(look.scope, to_micros(look.poll.observed_at), coverage)
        for look in polls
    }


def effective_scope(shown: Scope, at: Micros, coverage: CoverageTracker[int]) -> Scope:
    """What the next look covers that shows so much at a moment."""
    if shown.starts is None:
        return shown
    return shown._replace(**coverage.update(PayloadContents(shown.books, shown.markets, shown.starts, at))._asdict())


def find_affected_polls(later: Iterable[StoredPoll], events: Collection[int], inserted: Scope) -> Iterator[StoredPoll]:
    """Of later looks those that change when some before them come to be known.

    These cover `events` singly and, of the whole sport, what `inserted` holds. Everything until the next look at all of
    that, and after it what was seen of the same events.
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
    """Let `write` store looks that are older than `later`, which then change from what they leave, not as before.

    `write` returns the events that the last of its looks lists, `get_scopes` what every look covers as things are. What
    the later ones cover stays on offer there: ticks restore it. Returns how many.
    """
    with conn.transaction():
        scopes = get_scopes()
        quotes_before = [_covered_quotes(conn, sport_id, stored, scopes[stored.poll.id], ()) for stored in later]
        written = list(write())
        scopes = get_scopes()
        return sum(
            _restore_quotes(conn, sport_id, look, scopes[look.poll.id], before, written)
            for look, before in zip(later, quotes_before, strict=True)
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
    """What stands after a look of that which it covers: at a sport, its events and `extra_events` that it would have
    shown.
    """
    if scope and scope.event is not None:
        quotes, _ = load_quotes_on_offer(conn, [scope.event], stored.poll)
        return quotes.take(scope.covered_mask(quotes))
    times, starts = load_listing(conn, sport_id, stored)
    quotes, _ = load_quotes_on_offer(conn, sorted({*starts.event.tolist(), *extra_events}), stored.poll)
    if scope:
        return quotes.take(scope.covered_mask(quotes))
    return quotes.take(np.isin(quotes.market, [*FEATURED_MARKETS, *times.market]))


def _recompute_listing(conn: Connection, sport_id: int, stored: StoredPoll, scope: Scope) -> None:
    """What a look did not cover is listed as the look before it left it."""
    before = conn.execute(SELECT_PREVIOUS_POLL, [stored.poll.id]).fetchone()
    if before:
        times, starts, _ = load_market_state(conn, sport_id, before[0])
        merged = Listing(times, starts).with_poll(
            scope, load_listing(conn, sport_id, stored), to_micros(stored.poll.observed_at)
        )
        compress = zstandard.ZstdCompressor(level=3).compress
        conn.execute(UPDATE_POLL_LISTING, [*(compress(encode_columns(columns)) for columns in merged), stored.poll.id])


def diff_quotes(current: QuoteBatch, target: QuoteBatch) -> QuoteBatch:
    """The ticks that lead from one state to another, withdrawals among them."""
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
