"""Stored quotes of one market at one line for each game, with the closes translated to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ml.features.market_view import fair_where_sound
from ml.points import point_models_for
from ml.points.fit import fit_points
from ml.quotes import Market
from ml.training.games import AVERAGE, BEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.training.games import Quotes

    Array = NDArray[np.float64]

MAX_BEST_ODDS_RATIO = 1.8
"""A best price whose odds are longer than the average's by more is an error (`ml.market.palpable`), which the gate has
not seen yet where a database has only been imported."""
MIN_BEST_BOOKSUM = 0.9
"""As the quality gate has it."""


class QuotedMarket(NamedTuple):
    """One market of all games (N,) at one line each: `point` is the reference's, where it has none the average's.

    Prices (N, n) and (N, B, n) are NaN where they are for another point; closes (N, n) are translated to it.
    """

    market: Market
    quotes: Quotes
    books: tuple[str, ...]
    point: Array
    price: Array
    average: Array
    best: Array
    reference_close: Array
    average_close: Array


def quoted_market(quotes: Quotes, books: Mapping[int, str], reference: str, group: str) -> QuotedMarket:
    """The market at one line for each game."""
    columns = {number: i for i, number in enumerate(quotes.books.tolist())}
    named = [column for number, column in columns.items() if number > 0]
    sharp = next((columns[number] for number in columns if books.get(number) == reference), None)
    point = _choose_point(quotes, [column for column in (sharp, columns.get(AVERAGE)) if column is not None], named)
    price = _at_point(quotes.market, quotes.price, quotes.point, point)
    average = _with_fallback(price, columns.get(AVERAGE), _mean_price(price[:, named]))
    best = _with_fallback(price, columns.get(BEST), np.fmax.reduce(price[:, named], axis=1, initial=np.nan))
    closes = _closes(quotes, (sharp, columns.get(AVERAGE)), named, point, point_models_for(group).get(quotes.market))
    names = tuple(books[number] for number in columns if number > 0)
    return QuotedMarket(
        quotes.market, quotes, names, point, price[:, named], average, _sound_best(best, average), *closes
    )


def first_known(estimates: list[Array]) -> Array:
    """The first of `estimates`, (N,) or (N, n), that is known throughout, by row."""
    chosen = estimates[0].copy()
    for estimate in estimates[1:]:
        missing = np.isnan(chosen) if chosen.ndim == 1 else np.isnan(chosen).any(axis=1)
        chosen[missing] = estimate[missing]
    return chosen


def _choose_point(quotes: Quotes, first: list[int], others: list[int]) -> Array:
    """The point (N,) of the first of the books that has one; the `others` by how many games they price."""
    stated = quotes.point[:, :, 0]
    by_games = sorted(others, key=lambda column: -int((~np.isnan(stated[:, column])).sum()))
    return first_known([stated[:, column] for column in (*first, *by_games)])


def _with_fallback(price: Array, column: int | None, otherwise: Array) -> Array:
    """The prices (N, n) of a column of (N, B, n), by outcome `otherwise` (N, n) where there is none."""
    if column is None:
        return otherwise
    return np.where(np.isnan(price[:, column]), otherwise, price[:, column])


def _closes(
    quotes: Quotes, columns: tuple[int | None, int | None], named: list[int], point: Array, model: PointModel | None
) -> tuple[Array, Array]:
    """The fair closes (N, n) of two `columns`, reference and average, the latter else of the `named` books' mean."""
    missing = np.full(quotes.close[:, 0].shape, np.nan)
    reference, average = (missing if column is None else _close_at(quotes, column, point, model) for column in columns)
    closing = _at_point(quotes.market, quotes.close, quotes.close_point, point)[:, named]
    return reference, first_known([average, fair_where_sound(_mean_price(closing))])


def _at_point(market: Market, price: Array, stated: Array, point: Array) -> Array:
    """The prices (N, B, n) at `point` (N,), NaN where a book states another, or its sides are not of one line."""
    if market not in {Market.SPREADS, Market.TOTALS}:
        return price
    other = -point if market is Market.SPREADS else point
    same = (stated[:, :, 0] == point[:, None]) & (stated[:, :, 1] == other[:, None])
    return np.where(same[:, :, None], price, np.nan)


def _mean_price(price: Array) -> Array:
    """The price (N, n) of the mean implied probability of (N, B, n), over books with all prices; NaN without one."""
    complete = ~np.isnan(price).any(axis=2, keepdims=True)
    count = complete.sum(axis=1)
    total = np.where(complete, 1 / price, 0.0).sum(axis=1)
    return np.where(count > 0, count / np.where(total > 0, total, 1.0), np.nan)


def _sound_best(best: Array, average: Array) -> Array:
    """`best` (N, n) without what no book can have meant."""
    with np.errstate(invalid="ignore"):
        too_long = (best - 1) > MAX_BEST_ODDS_RATIO * (average - 1)
        impossible = (1 / best).sum(axis=1) < MIN_BEST_BOOKSUM
    return np.where(too_long | impossible[:, None], np.nan, best)


def _close_at(quotes: Quotes, column: int, point: Array, model: PointModel | None) -> Array:
    """A book's fair closing probabilities (N, n) at `point` (N,); from another point by the sport's point model."""
    fair = fair_where_sound(quotes.close[:, column])
    if quotes.market not in {Market.SPREADS, Market.TOTALS}:
        return fair
    at, sign = quotes.close_point[:, column], -1.0 if quotes.market is Market.SPREADS else 1.0
    fair = np.where((at[:, 1] == sign * at[:, 0])[:, None], fair, np.nan)
    if model is None:
        return np.where((at[:, 0] == point)[:, None], fair, np.nan)
    return translate(model, quotes.market, at[:, 0], fair, point)


def translate(model: PointModel, market: Market, at: Array, fair: Array, point: Array) -> Array:
    """Fair probabilities (N, 2) at `at` (N,) as they are at `point` (N,): unchanged where the two are equal."""
    sign = -1.0 if market is Market.SPREADS else 1.0
    rows = np.flatnonzero((at != point) & ~np.isnan(at + point + fair[:, 0]))
    moved = np.where((at == point)[:, None], fair, np.nan)
    if rows.size:
        here, there = sign * at[rows, None], sign * point[rows]
        fit = fit_points(model, here, fair[rows, :1], np.ones((len(rows), 1)))
        first = fit.translate(here, fair[rows, :1], there)[:, 0]
        moved[rows] = np.stack([first, 1 - first], axis=1)
    return moved
