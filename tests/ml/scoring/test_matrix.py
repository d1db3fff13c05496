import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, EventStarts, Market, MarketConfirmations, Outcome, QuoteBatch
from ml.scoring.lines import LineKey, line_key, selection_point
from ml.scoring.matrix import NO_START, LineMatrix

NAN = float("nan")


def quotes(*rows: tuple[int, int, int, int, float, float]) -> QuoteBatch:
    return QuoteBatch.from_rows([(*row, 0) for row in rows])


def test_home_and_away_spread_share_a_line() -> None:
    matrix = LineMatrix()
    touched = matrix.apply_quotes(
        quotes((1, 7, Market.SPREADS, Outcome.HOME, -3.5, 1.9), (1, 7, Market.SPREADS, Outcome.AWAY, 3.5, 1.95)),
        1,
    )
    assert matrix.row_by_line == {LineKey(1, Market.SPREADS, -3.5): 0}
    assert touched.tolist() == [0]
    assert matrix.price[:2, 0, 0].tolist() == [1.9, 1.95]
    assert matrix.fair_log_odds[0, 0, 0] > 0 > matrix.fair_log_odds[1, 0, 0]
    assert matrix.booksum[0, 0] == pytest.approx(1 / 1.9 + 1 / 1.95)


def test_two_way_and_three_way_markets_are_separate_lines() -> None:
    matrix = LineMatrix()
    matrix.apply_quotes(
        quotes((1, 7, Market.H2H, Outcome.HOME, NAN, 1.9), (1, 8, Market.H2H_3_WAY, Outcome.HOME, NAN, 2.4)),
        1,
    )
    assert len(matrix.row_by_line) == 2
    assert sorted(matrix.outcome_count[:2].tolist()) == [2, 3]


def test_markets_that_are_not_valued_are_ignored() -> None:
    matrix = LineMatrix()
    assert not matrix.apply_quotes(quotes((1, 7, Market.H2H_LAY, Outcome.HOME, NAN, 1.9)), 1).size
    matrix.apply_confirmations(MarketConfirmations.from_rows([(1, 7, Market.H2H_LAY, 5), (1, 7, 12_345, 5)]), 9)
    assert len(matrix) == 0


@pytest.mark.parametrize(
    ("market", "outcome", "point"),
    [
        (Market.H2H, Outcome.AWAY, None),
        (Market.SPREADS, Outcome.AWAY, 0.0),
        (Market.SPREADS, Outcome.AWAY, -7.25),
        (Market.SPREADS, Outcome.HOME, -7.25),
        (Market.TOTALS, Outcome.UNDER, 44.5),
    ],
)
def test_a_selections_point_survives_the_round_trip(market: Market, outcome: Outcome, point: float | None) -> None:
    key = line_key(1, market, outcome, point)
    column = 0 if outcome in {Outcome.HOME, Outcome.OVER} else 1
    assert selection_point(key, column) == point
    assert "-0.0" not in str(selection_point(key, column))


def test_rows_confirmations_and_starts_are_recycled() -> None:
    matrix = LineMatrix()
    for event in range(1, 500):
        matrix.apply_starts(EventStarts.from_rows([(event, event * 10)]))
        matrix.apply_quotes(quotes((event, 7, Market.H2H, Outcome.HOME, NAN, 1.9)), event)
        matrix.apply_confirmations(MarketConfirmations.from_rows([(event, 7, Market.H2H, event)]), event)
        row = matrix.row_by_line[LineKey(event, Market.H2H, 0.0)]
        assert matrix.commence_at[row] == event * 10
        assert matrix.confirmed_at_of(np.array([row]))[0, 0] == event
        matrix.release_empty(matrix.apply_quotes(quotes((event, 7, Market.H2H, Outcome.HOME, NAN, NAN)), event))
        matrix.forget_events(np.array([], np.int32))
    assert len(matrix) == 1
    assert len(matrix.confirmed_at) < 100
    assert not matrix.row_by_line


def test_an_event_without_a_known_start_has_not_started() -> None:
    matrix = LineMatrix()
    matrix.apply_quotes(quotes((1, 7, Market.H2H, Outcome.HOME, NAN, 1.9)), 1)
    assert matrix.commence_at[0] == NO_START
    assert matrix.confirmed_at_of(np.array([0]))[0, 0] == UNKNOWN_TIME


quote_rows = st.tuples(
    st.integers(1, 40),
    st.integers(1, 30),
    st.sampled_from([Market.H2H, Market.H2H_3_WAY, Market.SPREADS, Market.TOTALS]),
    st.integers(0, 1),
    st.sampled_from([-3.5, -3.0, 0.0, 2.25, 44.5]),
    st.one_of(st.just(NAN), st.floats(1.01, 50)),
)


@given(st.lists(quote_rows, max_size=300))
def test_the_matrix_holds_the_last_price_of_every_quote(
    rows: list[tuple[int, int, Market, int, float, float]],
) -> None:
    matrix, expected = LineMatrix(), {}
    for i, (event, book, market, side, point, price) in enumerate(rows):
        outcome = (Outcome.OVER, Outcome.UNDER)[side] if market is Market.TOTALS else (Outcome.HOME, Outcome.AWAY)[side]
        own = point if market in {Market.SPREADS, Market.TOTALS} else NAN
        matrix.apply_quotes(quotes((event, book, market, outcome, own, price)), i)
        expected[line_key(event, market, outcome, own), book, side] = price, i
    for (key, book, side), (price, poll) in expected.items():
        cell = side, matrix.row_by_line[key], int(np.searchsorted(matrix.book_ids, book))
        assert matrix.price[cell] == pytest.approx(price, nan_ok=True, rel=0, abs=0)
        assert matrix.poll_id[cell] == poll
    assert (np.diff(matrix.book_ids) > 0).all()
    fresh = LineMatrix()
    for (key, book, side), (price, poll) in expected.items():
        at = selection_point(key, side)
        outcome = MARKET_OUTCOMES[Market(key.market)][side]
        fresh.apply_quotes(quotes((key.event, book, key.market, outcome, NAN if at is None else at, price)), poll)
    for key, row in fresh.row_by_line.items():
        np.testing.assert_array_equal(fresh.fair_log_odds[:, row], matrix.fair_log_odds[:, matrix.row_by_line[key]])
        np.testing.assert_array_equal(fresh.booksum[row], matrix.booksum[matrix.row_by_line[key]])
