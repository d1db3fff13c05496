"""Moves of books and markets, a day at a time.

A day is watched from six hours before it, so what the watch remembers is the same whether it sees one day after a
burst or a year at night: the result of a day depends on thirty hours' polls and on nothing else.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.clock import micros
from edge_assets.prefetch import prefetched
from edge_assets.store.movements import (
    AROUND,
    FOUND,
    MOVEMENTS,
    SportDay,
    days_due,
    polls_as_they_came,
    replace_moves,
)
from ml.movement import MovementKind, MovementRules, MovementWatch, Seen, followed, in_steam

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection

    from ml.quotes import PollChanges

    Columns = dict[str, NDArray[Any]]

MEMORY = timedelta(hours=6)
"""Twelve horizons of a drift. From a day before, a year is watched twice: of a million ticks, 19 s of processor instead
of 13, for the same moves and steams."""
TAIL = timedelta(hours=3)
"""How far before midnight moves are looked at once more, by what followed after it."""
RULES = MovementRules()
KINDS = {MovementKind.STEAM: 1, MovementKind.DRIFT: 2, MovementKind.REVERSAL: 3}
LOOKS = 1.5
"""Books that moved between the same two looks moved together: a window shorter than the cadence would miss them."""
SECOND = 1_000_000


class _Found(NamedTuple):
    """What takes the place of a day's moves and movements, from `tail` before it on; `moves` of the day itself."""

    tail: timedelta
    of_books: Columns
    of_markets: Columns
    moves: int


def watch_days(conn: Connection, reader: Connection, clone_of: Mapping[int, int]) -> int:
    """Watch every day that pending polls touch, anew; return the number of moves found.

    While a day is watched the next one is read, by `reader`, and the last one written.
    """
    count, written = 0, None
    with ThreadPoolExecutor(max_workers=1) as writer:
        for day, polls in prefetched(partial(_polls, reader), days_due(conn)):
            found = _watch_day(day, polls, clone_of)
            if written:
                written.result()
            written = writer.submit(replace_moves, conn, day, *found[:3])
            count += found.moves
    if written:
        written.result()
    return count


def _polls(conn: Connection, day: SportDay) -> list[PollChanges]:
    return list(polls_as_they_came(conn, day, day.begins - MEMORY))


def _watch_day(day: SportDay, polls: Sequence[PollChanges], clone_of: Mapping[int, int]) -> _Found:
    moves, movements = _watch(polls, MovementWatch(_rules(polls), clone_of))
    moves |= _surroundings(moves, movements, clone_of)
    tail = TAIL if polls else timedelta()
    own = moves["moved_at"] >= micros(day.begins - tail)
    begun = movements["moved_at"] >= micros(day.begins)
    return _Found(
        tail,
        {name: column[own] for name, column in moves.items()},
        {name: column[begun] for name, column in movements.items()},
        int(np.sum(moves["moved_at"] >= micros(day.begins))),
    )


def _watch(polls: Sequence[PollChanges], watch: MovementWatch) -> tuple[Columns, Columns]:
    """All moves of books, and movements, since the first poll."""
    moves: list[tuple[NDArray[Any], ...]] = []
    movements: list[tuple[float, ...]] = []
    last = None
    for poll in polls:
        found = watch.step(poll)
        if last is not None:
            moves.append(_stamped(watch, poll.observed_at, last))
            movements += [
                (m.event, m.market, m.at, KINDS[m.kind], m.direction, m.size) for m in found if m.kind in KINDS
            ]
        last = poll.observed_at
    return _columns(FOUND, zip(*moves, strict=True)), _columns(
        MOVEMENTS, ([row] for row in zip(*movements, strict=True))
    )


def _stamped(watch: MovementWatch, at: int, before: int) -> tuple[NDArray[Any], ...]:
    moves = watch.moves
    n = len(moves.event)
    stamps = np.full(n, at), np.full(n, (at - before) / SECOND)
    return moves.event, moves.market, moves.book, stamps[0], moves.before, moves.after, stamps[1]


def _surroundings(moves: Columns, movements: Columns, clone_of: Mapping[int, int]) -> Columns:
    """Who made the same large move before and after, and whether a steam came of it.

    What happened between the same two looks, or the next, cannot be told apart.
    """
    size = moves["position_after"] - moves["position_before"]
    seen = Seen(moves["event_id"], moves["market_id"], np.sign(size).astype(np.int16), moves["moved_at"])
    book = moves["book_id"]
    origin = np.array([clone_of.get(one, one) for one in book.tolist()], np.int64)
    reach = np.maximum(RULES.lead_window, LOOKS * moves["since_look"])
    large = np.abs(size) >= RULES.move
    around = followed(Seen(*(c[large] for c in seen)), book[large], origin[large], reach[large])
    found: Columns = {}
    for name, column in zip(AROUND, around, strict=True):
        whole = np.full(len(size), -1, column.dtype)
        whole[large] = column
        found[name] = np.ma.masked_array(whole, whole == -1)
    steams = movements["kind"] == KINDS[MovementKind.STEAM]
    seen_steams = Seen(*(movements[name][steams] for name in ("event_id", "market_id", "direction", "moved_at")))
    return found | {"in_steam": in_steam(seen, np.maximum(RULES.window, moves["since_look"]), seen_steams)}


def _columns(types: Mapping[str, str], columns: Any) -> dict[str, NDArray[Any]]:
    """Parts of columns, put together; empty ones where there is none."""
    joined = [np.concatenate(parts) for parts in columns] or [np.empty(0, "i8")] * len(types)
    return dict(zip(types, joined, strict=True))


def _rules(polls: Sequence[PollChanges]) -> MovementRules:
    gaps = np.diff([poll.observed_at for poll in polls]) / SECOND
    look = LOOKS * float(np.median(gaps)) if len(gaps) else 0.0
    return MovementRules(window=max(RULES.window, look), lead_window=max(RULES.lead_window, look))
