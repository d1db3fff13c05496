"""Fair prices at the moments that the warehouse looks at: by the same valuation as the scorer's."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ml.market import devig
from ml.points import point_models
from ml.quotes import OUTCOMES_OF, UNKNOWN_TIME, Market
from ml.scoring import Books, ScoringRules
from ml.scoring.valuation import value_lines
from ml.scoring.view import LineView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.points import PointModel
    from ml.scoring import Traits

    Columns = dict[str, NDArray[Any]]

LADDER = ("event_id", "moment_id", "market_id")
LINE = (*LADDER, "line_point")
SELECTION = (*LINE, "outcome_id")
RULES = ScoringRules()
NOW = 0
"""Times are counted from the moment that each line is priced for, so lines of many moments are valued at once."""


def price(
    quotes: Columns, decided_at: NDArray[np.int64], sport: NDArray[np.str_], traits_of: Callable[[int], Traits]
) -> tuple[Columns, Columns]:
    """Price `quotes` (q,), ordered by line, each at its `decided_at` (q,), `confirmed_at` being one of its columns.

    `sport` (q,) are the sports' keys, `traits_of` tells what is known of a book by its id. Returns the consensus by
    line and outcome (`PRICED_LINES`) and each book's own fair probability by quote (`PRICED_QUOTES`), NaN where a side
    is missing.
    """
    since = np.where(quotes["confirmed_at"] == UNKNOWN_TIME, UNKNOWN_TIME, quotes["confirmed_at"] - decided_at)
    parts = []
    for name, market in product(np.unique(sport).tolist() or [""], OUTCOMES_OF):
        mine = (quotes["market_id"] == market) & (sport == name)
        some = {n: c[mine] for n, c in quotes.items()}
        parts.append(_price_market(some, since[mine], market, point_models(name), traits_of))
    lines, priced = zip(*parts, strict=True)
    return _joined(lines), _joined(priced)


def _price_market(
    quotes: Columns,
    since: NDArray[np.int64],
    market: Market,
    models: Mapping[Market, PointModel],
    traits_of: Callable[[int], Traits],
) -> tuple[Columns, Columns]:
    first, line = _numbered(quotes, LINE)
    outcomes = np.array(OUTCOMES_OF[market])
    column = np.argmax(quotes["outcome_id"][:, None] == outcomes, axis=1)
    books, book = np.unique(quotes["book_id"], return_inverse=True)
    prices = np.full((len(first), len(books), len(outcomes)), np.nan)
    prices[line, book, column] = quotes["price_decimal"]
    _, ladder = _numbered(quotes, LADDER)
    view = LineView.of(
        prices,
        _confirmed(ladder, book, since, len(books))[ladder[first]],
        start=np.full(len(first), NOW + 1),
        market=market,
        point=quotes["line_point"][first].astype(np.float64),
        ladder=ladder[first],
        method=RULES.method,
    )
    fair = value_lines(view, Books.of(books.tolist(), traits_of), models, NOW, RULES).market
    own = devig(prices, RULES.method).probabilities[line, book, column]
    return _lines(quotes, first, outcomes, fair.probability.T, fair.books), {
        **{name: quotes[name] for name in (*SELECTION, "book_id", "confirmed_at")},
        "book_probability": own,
    }


def _confirmed(
    ladder: NDArray[np.intp], book: NDArray[np.intp], since: NDArray[np.int64], books: int
) -> NDArray[np.int64]:
    """When each book last confirmed each market (k, b): it confirms all points at once."""
    times = np.full((int(ladder.max(initial=-1)) + 1, books), UNKNOWN_TIME)
    np.maximum.at(times, (ladder, book), since)
    return times


def _numbered(quotes: Columns, names: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first quote of each line (or whatever the columns `names` tell apart), and the line of each quote."""
    differs = np.ones(len(quotes["event_id"]), bool)
    differs[1:] = np.any([quotes[name][1:] != quotes[name][:-1] for name in names], axis=0)
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
