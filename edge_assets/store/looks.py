"""Looks of one feed at a sport in order of time, and putting one in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.clock import micros
from edge_assets.store.copying import copy_ticks
from edge_assets.store.offers import Poll, on_offer
from edge_assets.store.readers import market_state
from ml.quotes import QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from psycopg import Connection

LOOKS = "SELECT id, observed_at FROM polls WHERE sport_id = %s AND feed = %s ORDER BY observed_at"


def looks_of(conn: Connection, sport_id: int, feed: str) -> list[Poll]:
    """Every look of a feed at a sport, in order of time."""
    return [Poll(*row) for row in conn.execute(LOOKS, [sport_id, feed])]


def insert_before(conn: Connection, sport_id: int, later: Poll, write: Callable[[], Iterable[int]]) -> int:
    """Let `write` store looks that are older than `later`, which then changes from what they leave, not as before.

    `write` returns the events that they list. What `later` holds stays on offer there: ticks restore it. Returns how
    many.
    """
    listed = market_state(conn, sport_id, later.id)[1].event.tolist()
    with conn.transaction():
        before, _ = on_offer(conn, listed, later)
        events = sorted({*listed, *write()})
        after, _ = on_offer(conn, events, later)
        repair = _difference(after, before)
        with conn.cursor() as cursor:
            copy_ticks(cursor, repair, micros(later.observed_at), later.id)
    return len(repair)


def _difference(now: QuoteBatch, wanted: QuoteBatch) -> QuoteBatch:
    """The ticks that lead from one state to another, withdrawals among them."""
    have, want = _by_selection(now), _by_selection(wanted)
    changed = [(*key, *value) for key, value in want.items() if have.get(key, (None,))[0] != value[0]]
    gone = [(*key, np.nan, value[1]) for key, value in have.items() if key not in want]
    rows = [(*row[:4], np.nan if row[4] is None else row[4], *row[5:]) for row in [*changed, *gone]]
    return QuoteBatch.of(rows)


def _by_selection(quotes: QuoteBatch) -> dict[tuple[int | float | None, ...], tuple[float, int]]:
    rows = zip(*(column.tolist() for column in quotes.columns()), strict=True)
    return {(*row[:4], None if np.isnan(row[4]) else row[4]): (row[5], row[6]) for row in rows}
