"""Ticks of one market as the prices that are decided on and the closing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.quotes import MARKET_OUTCOMES, MICROS_PER_DAY, MICROS_PER_SECOND
from ml.training.games import Quotes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ml.quotes import Market
    from ml.training.games import Games

    Columns = dict[str, NDArray[Any]]

DECISION_LEAD_MICROS = MICROS_PER_DAY
"""Of sources with times, the prices on offer this long before the start are decided on."""
CLOSING_MICROS = 300 * MICROS_PER_SECOND
"""A source without times has opening prices and, this shortly before the start, closing prices, as
`edge_assets.store.analytics.reference_prices` has it; any other price holds until it is withdrawn."""


def arrange_quotes(ticks: Columns, games: Games, market: Market) -> Quotes:
    """The quotes of `games`, of ticks (t,) in any order."""
    ticks, lead = _before_the_start(ticks, games)
    shortly = lead <= CLOSING_MICROS
    is_known = np.where(ticks["assumed"], ~shortly, lead >= DECISION_LEAD_MICROS)
    is_last = ~ticks["assumed"] | shortly
    books, ticks["book"] = np.unique(ticks["book"], return_inverse=True)
    outcomes = np.array(MARKET_OUTCOMES[market])
    ticks["outcome"] = np.argmax(ticks["outcome"][:, None] == outcomes, axis=1)
    shape = len(games.event), len(books), len(outcomes)
    price, point, at = _last_of(ticks, is_known, shape)
    close, close_point, _ = _last_of(ticks, is_last, shape)
    decided = np.where(ticks["assumed"], ticks["at"], ticks["at"] + lead - DECISION_LEAD_MICROS)
    decided_at = np.full(len(games.event), np.iinfo(np.int64).min)
    np.maximum.at(decided_at, ticks["row"][is_known], decided[is_known])
    return Quotes(market, books, decided_at, price, point, at.max(axis=2), close, close_point)


def _before_the_start(ticks: Columns, games: Games) -> tuple[Columns, NDArray[np.int64]]:
    """The ticks of `games` before their starts, with their `row` of the games, and their time to the start."""
    order = np.argsort(games.event)
    place = np.minimum(np.searchsorted(games.event, ticks["event"], sorter=order), max(len(order) - 1, 0))
    row = order[place] if len(order) else place
    ours = (games.event[row] == ticks["event"]) if len(order) else np.zeros(len(place), np.bool_)
    ticks = {name: column[ours] for name, column in ticks.items()} | {"row": row[ours]}
    lead = games.start[ticks["row"]] - ticks["at"]
    before = lead > 0
    return {name: column[before] for name, column in ticks.items()}, lead[before]


def _last_of(
    ticks: Columns, counted: NDArray[np.bool_], shape: tuple[int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Price, point and time in seconds (N, B, n) of the last counted tick of each book and outcome.

    Of one moment a price counts before a withdrawal: a line that moved to another point is withdrawn at the old one.
    """
    chosen = {name: column[counted] for name, column in ticks.items()}
    cell = np.ravel_multi_index((chosen["row"], chosen["book"], chosen["outcome"]), shape)
    order = np.lexsort((chosen["price"], ~np.isnan(chosen["price"]), chosen["at"], cell))
    last = order[np.flatnonzero(np.diff(cell[order], append=-1))]
    price, point, at = np.full((3, int(np.prod(shape))), np.nan)
    price[cell[last]], point[cell[last]], at[cell[last]] = (
        chosen["price"][last], chosen["point"][last], chosen["at"][last] / MICROS_PER_SECOND,
    )  # fmt: skip
    return price.reshape(shape), point.reshape(shape), at.reshape(shape)
