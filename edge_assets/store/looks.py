"""Looks of one feed at a sport in order of time, and putting some in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import zstandard

from edge_assets.clock import micros
from edge_assets.coverage import Answer
from edge_assets.store.copying import copy_ticks
from edge_assets.store.offers import Poll, on_offer
from edge_assets.store.readers import market_state
from edge_assets.store.scopes import BULK_MARKETS, Listing, Scope
from ml.quotes import QuoteBatch, encode_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from psycopg import Connection

    from edge_assets.coverage import Coverage
    from ml.quotes import Micros

LOOKS = """
SELECT id, observed_at, scope FROM admitted_polls WHERE sport_id = %s AND feed = %s AND observed_at <= %s
ORDER BY observed_at
"""
LOOK_BEFORE = """
SELECT p.id
FROM admitted_polls AS p INNER JOIN polls AS later ON p.sport_id = later.sport_id AND p.feed = later.feed
WHERE later.id = %s AND p.observed_at < later.observed_at ORDER BY p.observed_at DESC LIMIT 1
"""
PAYLOAD = "SELECT body FROM payloads WHERE observed_at = %s AND poll_id = %s"
LIST = "UPDATE polls SET market_times = %s, starts = %s WHERE id = %s"


class Look(NamedTuple):
    """A look in time, at a whole sport or (with a scope) at a part."""

    poll: Poll
    scope: Scope | None


def looks_of(conn: Connection, sport_id: int, feed: str, until: datetime | str = "infinity") -> list[Look]:
    """Every look of a feed at a sport up to a moment, in order of time."""
    rows = conn.execute(LOOKS, [sport_id, feed, until])
    return [Look(Poll(poll, at), scope and Scope.of_json(scope)) for poll, at, scope in rows]


def payload_of(conn: Connection, look: Look) -> bytes | None:
    """The answer that a look was; None where it is not kept any more."""
    row = conn.execute(PAYLOAD, [look.poll.observed_at, look.poll.id]).fetchone()
    return zstandard.decompress(row[0]) if row else None


def listing(conn: Connection, sport_id: int, look: Look) -> Listing:
    """What stands after a look."""
    times, starts, _ = market_state(conn, sport_id, look.poll.id)
    return Listing(times, starts)


def reaches(looks: Iterable[Look], coverage: Coverage[int]) -> dict[int, Scope | None]:
    """What each of the looks, which are all of them in order of time, covers: with the books that it only lacks."""
    return {look.poll.id: look.scope and reach(look.scope, micros(look.poll.observed_at), coverage) for look in looks}


def reach(shown: Scope, at: Micros, coverage: Coverage[int]) -> Scope:
    """What the next look covers that shows so much at a moment."""
    if shown.starts is None:
        return shown
    return shown._replace(**coverage.follow(Answer(shown.books, shown.markets, shown.starts, at))._asdict())


def affected(later: Iterable[Look], events: Collection[int], inserted: Scope) -> Iterator[Look]:
    """Of later looks those that change when some before them come to be known.

    These cover `events` singly and, of the whole sport, what `inserted` holds. Everything until the next look at all of
    that, and after it what was seen of the same events.
    """
    renewed = False
    for look in later:
        if not renewed or (look.scope and look.scope.event in events):
            yield look
        scope = look.scope
        renewed = renewed or scope is None or scope.includes(inserted)


def insert_before(
    conn: Connection,
    sport_id: int,
    later: Sequence[Look],
    write: Callable[[], Iterable[int]],
    reached: Callable[[], Mapping[int, Scope | None]],
) -> int:
    """Let `write` store looks that are older than `later`, which then change from what they leave, not as before.

    `write` returns the events that the last of its looks lists, `reached` what every look covers as things are. What
    the later ones cover stays on offer there: ticks restore it. Returns how many.
    """
    with conn.transaction():
        scopes = reached()
        held = [_covered(conn, sport_id, look, scopes[look.poll.id], ()) for look in later]
        written = list(write())
        scopes = reached()
        return sum(
            _restore(conn, sport_id, look, scopes[look.poll.id], before, written)
            for look, before in zip(later, held, strict=True)
        )


def _restore(
    conn: Connection, sport_id: int, look: Look, scope: Scope | None, held: QuoteBatch, written: Sequence[int]
) -> int:
    if scope:
        _list_anew(conn, sport_id, look, scope)
    repair = difference(_covered(conn, sport_id, look, scope, written), held)
    with conn.cursor() as cursor:
        copy_ticks(cursor, repair, micros(look.poll.observed_at), look.poll.id)
    return len(repair)


def _covered(conn: Connection, sport_id: int, look: Look, scope: Scope | None, more: Sequence[int]) -> QuoteBatch:
    """What stands after a look of that which it covers: at a sport, its events and `more` that it would have shown."""
    if scope and scope.event is not None:
        quotes, _ = on_offer(conn, [scope.event], look.poll)
        return quotes.take(scope.holds(quotes))
    times, starts = listing(conn, sport_id, look)
    quotes, _ = on_offer(conn, sorted({*starts.event.tolist(), *more}), look.poll)
    if scope:
        return quotes.take(scope.holds(quotes))
    return quotes.take(np.isin(quotes.market, [*BULK_MARKETS, *times.market]))


def _list_anew(conn: Connection, sport_id: int, look: Look, scope: Scope) -> None:
    """What a look did not cover is listed as the look before it left it."""
    before = conn.execute(LOOK_BEFORE, [look.poll.id]).fetchone()
    if before:
        times, starts, _ = market_state(conn, sport_id, before[0])
        now = Listing(times, starts).with_look(scope, listing(conn, sport_id, look), micros(look.poll.observed_at))
        compress = zstandard.ZstdCompressor(level=3).compress
        conn.execute(LIST, [*(compress(encode_columns(columns)) for columns in now), look.poll.id])


def difference(now: QuoteBatch, wanted: QuoteBatch) -> QuoteBatch:
    """The ticks that lead from one state to another, withdrawals among them."""
    have, want = _by_selection(now), _by_selection(wanted)
    changed = [(*key, *value) for key, value in want.items() if have.get(key, (None,))[0] != value[0]]
    gone = [(*key, np.nan, value[1]) for key, value in have.items() if key not in want]
    rows = [(*row[:4], np.nan if row[4] is None else row[4], *row[5:]) for row in [*changed, *gone]]
    return QuoteBatch.of(rows)


def _by_selection(quotes: QuoteBatch) -> dict[tuple[int | float | None, ...], tuple[float, int]]:
    rows = zip(*(column.tolist() for column in quotes.columns()), strict=True)
    return {(*row[:4], None if np.isnan(row[4]) else row[4]): (row[5], row[6]) for row in rows}
