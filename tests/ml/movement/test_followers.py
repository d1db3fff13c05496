from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml.movement import MarketMoves, count_followers, is_in_steam
from ml.quotes import MICROS_PER_SECOND

MOVE = st.tuples(
    st.integers(1, 2),  # event
    st.integers(1, 2),  # market
    st.sampled_from((-1, 1)),
    st.integers(0, 12),  # seconds
    st.integers(0, 5),  # book
    st.integers(0, 4),  # reach
)
CLONE_OF = {5: 0, 4: 0}
EPOCH = 1_762_776_000 * MICROS_PER_SECOND


def market_moves(moves: list[tuple[int, ...]]) -> MarketMoves:
    event, market, direction, at = np.array([move[:4] for move in moves], np.int64).reshape(-1, 4).T
    return MarketMoves(
        event.astype(np.int32), market.astype(np.int16), direction.astype(np.int16), EPOCH + at * MICROS_PER_SECOND
    )


def columns(moves: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    book = np.array([move[4] for move in moves], np.int64)
    origin = np.array([CLONE_OF.get(move[4], move[4]) for move in moves], np.int64)
    return book, origin, np.array([move[5] for move in moves], np.float64)


@given(st.lists(MOVE, max_size=30))
def test_all_books_are_found_that_a_search_finds(moves: list[tuple[int, ...]]) -> None:
    found = count_followers(market_moves(moves), *columns(moves))
    for number, (event, market, direction, at, book, reach) in enumerate(moves):
        own = CLONE_OF.get(book, book)
        near = sorted(
            (m[3], m[4], CLONE_OF.get(m[4], m[4]))
            for m in moves
            if m[:3] == (event, market, direction) and abs(m[3] - at) <= reach
        )
        assert found.before[number] == len({o for t, _, o in near if t < at and o != own})
        assert found.after[number] == len({o for t, _, o in near if t > at and o != own})
        at_once = len(near) > 1 and near[1][0] == near[0][0] and near[1][2] != near[0][2]
        assert found.leader[number] == (-1 if at_once else near[0][1])
        assert found.lag_seconds[number] == at - near[0][0]


@given(st.lists(MOVE, max_size=20), st.lists(MOVE, max_size=5))
def test_a_move_is_part_of_a_steam_reported_soon(moves: list[tuple[int, ...]], steams: list[tuple[int, ...]]) -> None:
    found = is_in_steam(market_moves(moves), columns(moves)[2], market_moves(steams))
    assert found.tolist() == [
        any(s[:3] == move[:3] and move[3] <= s[3] <= move[3] + move[5] for s in steams) for move in moves
    ]
