"""Fair prices at the moments that the warehouse looks at: by the same valuation as the scorer's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.market import devig
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market
from ml.scoring import ScoringRules
from ml.scoring.valuation import LineView, value_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Columns = dict[str, NDArray[Any]]

LINE = ("event_id", "moment_id", "market_id", "line_point")
SELECTION = (*LINE, "outcome_id")
RULES = ScoringRules()
NOW = 0
"""Times are counted from the moment that each line is priced for, so lines of many moments are valued at once."""


def price(quotes: Columns, decided_at: NDArray[np.int64], weight_of: Callable[[int], float]) -> tuple[Columns, Columns]:
    """Price `quotes` (q,), ordered by line, each at its `decided_at` (q,), `confirmed_at` being one of its columns.

    `weight_of` gives the weight of a book's id. Returns the consensus by line and outcome (`PRICED_LINES`) and each
    book's own fair probability by quote (`PRICED_QUOTES`), NaN where a side is missing.
    """
    since = np.where(quotes["confirmed_at"] == UNKNOWN_TIME, UNKNOWN_TIME, quotes["confirmed_at"] - decided_at)
    parts = []
    for market in OUTCOMES_OF:
        mine = quotes["market_id"] == market
        parts.append(_price_market({n: c[mine] for n, c in quotes.items()}, since[mine], market, weight_of))
    lines, priced = zip(*parts, strict=True)
    return _joined(lines), _joined(priced)


def _price_market(
    quotes: Columns, since: NDArray[np.int64], market: Market, weight_of: Callable[[int], float]
) -> tuple[Columns, Columns]:
    first, line = _numbered(quotes)
    outcomes = np.array(OUTCOMES_OF[market])
    column = np.argmax(quotes["outcome_id"][:, None] == outcomes, axis=1)
    books, book = np.unique(quotes["book_id"], return_inverse=True)
    view = LineView(
        np.full((len(first), len(books), len(outcomes)), np.nan),
        np.full((len(first), len(books)), UNKNOWN_TIME),
        np.full(len(first), NOW + 1),
        np.array([weight_of(int(b)) for b in books]),
    )
    view.price[line, book, column] = quotes["price_decimal"]
    view.book_time[line, book] = since
    value = value_lines(view, NOW, RULES)
    own = devig(view.price, RULES.method).probabilities[line, book, column]
    return _lines(quotes, first, outcomes, value.fair, value.books), {
        **{name: quotes[name] for name in (*SELECTION, "book_id", "confirmed_at")},
        "book_probability": own,
    }


def _numbered(quotes: Columns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first quote of each line, and the line of each quote."""
    differs = np.ones(len(quotes["event_id"]), bool)
    differs[1:] = np.any([quotes[name][1:] != quotes[name][:-1] for name in LINE], axis=0)
    return np.flatnonzero(differs), np.cumsum(differs) - 1


def _lines(
    quotes: Columns, first: NDArray[np.intp], outcomes: NDArray[Any], fair: NDArray[Any], books: NDArray[Any]
) -> Columns:
    """A row for each line and outcome."""
    width = len(outcomes)
    return {
        **{name: np.repeat(quotes[name][first], width) for name in LINE},
        "outcome_id": np.tile(outcomes, len(first)),
        "books": np.repeat(books, width),
        "fair_probability": fair.ravel(),
    }


def _joined(parts: Sequence[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
