"""The numbers of an alert, picked from a valuation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.scoring.alerts import Leg, Worth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.scoring.valuation import Valuation


def value_worth(value: Valuation, line: int, book: int, outcome: int, price: float) -> Worth:
    """The worth of one price: line, book and outcome by their index in `value`."""
    return Worth(
        expected_value=float(value.expected_value[line, book, outcome]),
        books=int(value.books[line]),
        price_age_s=float(value.age_seconds[line, book]),
        price=float(price),
        fair_probability=float(value.fair[line, outcome]),
        implied_probability=float(1 / price),
        edge=float(value.edge[line, book, outcome]),
        kelly_fraction=float(value.kelly_fraction[line, book, outcome]),
        confidence=float(value.confidence[line, book, outcome]),
        method_spread=float(value.method_spread[line, outcome]),
    )


def arbitrage_worth(value: Valuation, line: int, outcomes: Sequence[int], book_ids: Sequence[int]) -> Worth:
    """The worth of a line's arbitrage: its guaranteed return and the bets that make it."""
    best = value.arbitrage
    books = best.book[line].tolist()
    legs = tuple(
        Leg(int(o), book_ids[b], float(p), float(s))
        for o, b, p, s in zip(outcomes, books, best.price[line], best.stake_fraction[line], strict=True)
    )
    return Worth(
        expected_value=float(best.guaranteed_return[line]),
        books=len(set(books)),
        price_age_s=float(value.age_seconds[line, books].max()),
        legs=legs,
    )
