"""Fair prices at the decision points of the warehouse, by the same provider as the scorer's."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.market import devig
from ml.quotes import MARKET_OUTCOMES, UNKNOWN_TIME, Market
from ml.scoring import DEFAULT_RULES, BookProfiles
from ml.scoring.fair_prices import consensus_for
from ml.scoring.matrix import LineView

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ml.scoring import BookProfile
    from ml.scoring.fair_prices import FairPriceProvider

    Columns = dict[str, NDArray[Any]]

MARKET_COLUMNS = ("event_id", "decision_point_id", "market_id")
LINE_COLUMNS = (*MARKET_COLUMNS, "line_point")
SELECTION_COLUMNS = (*LINE_COLUMNS, "outcome_id")
DECISION_TIME = 0
"""Times are relative to each line's decision time, so that lines of many decisions are valued together."""


def price_quotes(
    quotes: Columns,
    decided_at: NDArray[np.int64],
    sport: NDArray[np.str_],
    profile_of: Callable[[int], BookProfile],
    provider_for: Callable[[str], FairPriceProvider] = consensus_for,
) -> tuple[Columns, Columns]:
    """Price `quotes` (q,), ordered by line, each at its `decided_at` (q,); `confirmed_at` is one of their columns.

    `sport` (q,) are the sports' keys; `profile_of` gives a book's profile by its id, `provider_for` who prices a sport.
    Returns the fair prices by line and outcome (`PRICED_LINE_TYPES`) and each book's own fair probability by quote
    (`PRICED_QUOTE_TYPES`), NaN where a side is missing.
    """
    confirmed_since = np.where(
        quotes["confirmed_at"] == UNKNOWN_TIME, UNKNOWN_TIME, quotes["confirmed_at"] - decided_at
    )
    parts = []
    for name, market in product(np.unique(sport).tolist() or [""], MARKET_OUTCOMES):
        is_selected = (quotes["market_id"] == market) & (sport == name)
        selected = {n: c[is_selected] for n, c in quotes.items()}
        parts.append(_price_market(selected, confirmed_since[is_selected], market, provider_for(name), profile_of))
    lines, priced = zip(*parts, strict=True)
    return _concatenate(lines), _concatenate(priced)


def _price_market(
    quotes: Columns,
    confirmed_since: NDArray[np.int64],
    market: Market,
    provider: FairPriceProvider,
    profile_of: Callable[[int], BookProfile],
) -> tuple[Columns, Columns]:
    first, line = _group_rows(quotes, LINE_COLUMNS)
    outcomes = np.array(MARKET_OUTCOMES[market])
    column = np.argmax(quotes["outcome_id"][:, None] == outcomes, axis=1)
    books, book = np.unique(quotes["book_id"], return_inverse=True)
    prices = np.full((len(first), len(books), len(outcomes)), np.nan)
    prices[line, book, column] = quotes["price_decimal"]
    _, market_index = _group_rows(quotes, MARKET_COLUMNS)
    view = LineView.from_prices(
        prices,
        _confirmation_times(market_index, book, confirmed_since, len(books))[market_index[first]],
        commence_at=np.full(len(first), DECISION_TIME + 1),
        market=market,
        point=quotes["line_point"][first].astype(np.float64),
        ladder=market_index[first],
        method=DEFAULT_RULES.method,
    )
    profiles = BookProfiles.from_profiles(books.tolist(), profile_of)
    fair = provider.price_lines(view, profiles, DECISION_TIME, DEFAULT_RULES)
    book_probability = devig(prices, DEFAULT_RULES.method).probabilities[line, book, column]
    return _line_rows(quotes, first, outcomes, fair.probability.T, fair.consensus.books), {
        **{name: quotes[name] for name in (*SELECTION_COLUMNS, "book_id", "confirmed_at")},
        "book_probability": book_probability,
    }


def _confirmation_times(
    market_index: NDArray[np.intp], book: NDArray[np.intp], confirmed_since: NDArray[np.int64], books: int
) -> NDArray[np.int64]:
    """When each book last confirmed each market (k, b): it confirms all points at once."""
    times = np.full((int(market_index.max(initial=-1)) + 1, books), UNKNOWN_TIME)
    np.maximum.at(times, (market_index, book), confirmed_since)
    return times


def _group_rows(quotes: Columns, columns: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first quote of each group that has equal `columns`, and the group of each quote."""
    differs = np.ones(len(quotes["event_id"]), bool)
    differs[1:] = np.any([quotes[name][1:] != quotes[name][:-1] for name in columns], axis=0)
    return np.flatnonzero(differs), np.cumsum(differs) - 1


def _line_rows(
    quotes: Columns, first: NDArray[np.intp], outcomes: NDArray[Any], fair: NDArray[Any], books: NDArray[Any]
) -> Columns:
    """A row for each line and outcome."""
    width = len(outcomes)
    return {
        **{name: np.repeat(quotes[name][first], width) for name in LINE_COLUMNS},
        "outcome_id": np.tile(outcomes, len(first)),
        "books": np.repeat(books, width),
        "fair_probability": fair.ravel(),
    }


def _concatenate(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
