"""Market matrices against a naive construction; every verdict on handmade matrices."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.quality.market_matrix import build_matrices
from edge_assets.quality.price_checks import check_prices
from edge_assets.store.analytics.quarantine import BEST_PRICE_BOOK
from ml.quotes import MARKET_OUTCOMES, Market

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAN = float("nan")
NAMES = ("market_id", "event_id", "line_point", "observed_at", "book_id", "outcome_id", "price")
TICKS = st.lists(
    st.tuples(
        st.sampled_from([Market.H2H, Market.H2H_3_WAY]),
        st.integers(1, 3),
        st.just(0.0),
        st.integers(0, 5),
        st.sampled_from([BEST_PRICE_BOOK, 1, 2]),
        st.integers(1, 3),
        st.sampled_from([NAN, 1.5, 2.0, 2.5]),
    ),
    unique_by=itemgetter(*range(6)),
    min_size=1,
).map(lambda ticks: sorted((t for t in ticks if t[0] == Market.H2H_3_WAY or t[5] < 3), key=lambda t: t[:4]))


def columns(ticks: list[Any]) -> dict[str, NDArray[Any]]:
    table = {name: np.array([tick[i] for tick in ticks]) for i, name in enumerate(NAMES)}
    return table | {"due": np.ones(len(ticks), np.int32)}


@given(TICKS)
def test_a_matrix_holds_the_last_stated_prices(ticks: list[Any]) -> None:
    found = {}
    for board in build_matrices(columns(ticks)):
        moments = sorted({tick[:4] for tick in ticks if tick[0] == board.market})
        assert len(moments) == len(board.price)
        for row, (_, event, _, at) in enumerate(moments):
            for book, outcome in np.ndindex(*board.price.shape[1:]):
                key = (board.market, event, at, int(board.books[book]), MARKET_OUTCOMES[board.market][outcome])
                found[key] = (board.price[row, book, outcome], int(board.tick[row, book, outcome]))
    for (market, event, at, book, outcome), (price, tick) in found.items():
        reported = [
            (i, t) for i, t in enumerate(ticks) if (*t[:2], *t[4:6]) == (market, event, book, outcome) and t[3] <= at
        ]
        np.testing.assert_equal(price, reported[-1][1][-1] if reported else NAN)
        assert tick == (reported[-1][0] if reported and reported[-1][1][3] == at else -1)


def verdicts(*rows: tuple[float, float]) -> dict[tuple[int, int], str]:
    """The verdicts on two-way prices, by book (-1: the best) and outcome."""
    ticks = [
        (Market.H2H, 1, 0.0, 0, book, outcome, price)
        for book, row in zip((BEST_PRICE_BOOK, *range(1, len(rows))), rows, strict=True)
        for outcome, price in enumerate(row, start=1)
    ]
    [board] = build_matrices(columns(ticks))
    return {(ticks[i][4], ticks[i][5]): verdict.check for i, verdict in check_prices(board).items()}


EVEN = (1.91, 1.91)


def test_agreeing_prices_have_no_verdict() -> None:
    assert verdicts((1.95, 1.93), EVEN, (1.95, 1.87), (1.9, 1.93), EVEN, EVEN) == {}


def test_a_price_far_above_the_others_is_palpable_and_so_is_the_best_price_from_it() -> None:
    assert verdicts((5.5, 1.95), EVEN, EVEN, EVEN, EVEN, (5.5, 1.91)) == {
        (5, 1): "palpable_price",
        (BEST_PRICE_BOOK, 1): "palpable_price",
    }


def test_the_same_price_among_few_others_fails_by_its_booksum() -> None:
    assert verdicts((5.5, 1.95), EVEN, (5.5, 1.91)) == {
        (2, 1): "overround",
        (2, 2): "overround",
        (BEST_PRICE_BOOK, 1): "best_price",
        (BEST_PRICE_BOOK, 2): "best_price",
    }


def test_a_best_price_below_a_book_is_wrong() -> None:
    assert verdicts((1.95, 1.85), EVEN, (1.95, 1.87), (1.9, 1.93)) == {(BEST_PRICE_BOOK, 2): "best_price"}


def test_a_recorded_best_price_far_above_its_books_is_wrong() -> None:
    """As in a real file with `MaxCD` 41 where the draw averaged 3.45: no book offers it, and the booksum is
    impossible.
    """
    assert verdicts((1.95, 22.0), EVEN, (1.95, 1.87), (1.9, 1.93)) == {
        (BEST_PRICE_BOOK, 1): "best_price",
        (BEST_PRICE_BOOK, 2): "best_price",
    }
