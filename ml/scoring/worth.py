"""The numbers of an alert, picked from a valuation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.scoring.alerts import Leg, Worth
from ml.scoring.appraisal import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml.scoring.appraisal import Appraisal
    from ml.scoring.sure import SureBets
    from ml.settlement import Agreement


def price_worths(appraisal: Appraisal) -> Iterator[Worth]:
    """The worth of every price appraised, in order."""
    columns = (getattr(appraisal, name).tolist() for name in NUMBERS)
    for numbers in zip(*columns, strict=True):
        yield Worth(**dict(zip(NUMBERS, numbers, strict=True)))


def arbitrage_worth(
    sure: SureBets,
    index: int,
    outcomes: Sequence[int],
    book_ids: Sequence[int],
    price_age_s: float,
    rules: Agreement,
) -> Worth:
    """The worth of arbitrage number `index`: its guaranteed return and the bets that make it, at the books `book_ids`.

    `price_age_s` is the age of the oldest of these, `rules` what the books' rules are to each other.
    """
    best = sure.best
    columns = zip(outcomes, book_ids, best.price[index].tolist(), best.stake_fraction[index].tolist(), strict=True)
    return Worth(
        expected_value=float(best.guaranteed_return[index]),
        books=len(set(book_ids)),
        price_age_s=price_age_s,
        rules=rules.value,
        legs=tuple(Leg(outcome, book, price, share) for outcome, book, price, share in columns),
    )
