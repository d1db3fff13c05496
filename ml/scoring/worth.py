"""The numbers of an alert, picked from a valuation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.scoring.alert_metrics import METRIC_FIELDS
from ml.scoring.alerts import AlertMetrics, Leg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ml.scoring.alert_metrics import AlertMetricsBatch
    from ml.scoring.arbitrages import Arbitrages
    from ml.settlement import RulesAgreement


def price_metrics(batch: AlertMetricsBatch) -> Iterator[AlertMetrics]:
    """The worth of every price appraised, in order."""
    columns = (getattr(batch, name).tolist() for name in METRIC_FIELDS)
    for numbers in zip(*columns, strict=True):
        yield AlertMetrics(**dict(zip(METRIC_FIELDS, numbers, strict=True)))


def arbitrage_metrics(
    arbitrages: Arbitrages,
    index: int,
    outcomes: Sequence[int],
    book_ids: Sequence[int],
    price_age_s: float,
    rules: RulesAgreement,
) -> AlertMetrics:
    """The worth of arbitrage number `index`: its guaranteed return and the bets that make it, at the books `book_ids`.

    `price_age_s` is the age of the oldest of these, `rules` what the books' rules are to each other.
    """
    best = arbitrages.best
    columns = zip(outcomes, book_ids, best.price[index].tolist(), best.stake_fraction[index].tolist(), strict=True)
    return AlertMetrics(
        expected_value=float(best.guaranteed_return[index]),
        books=len(set(book_ids)),
        price_age_s=price_age_s,
        rules=rules.value,
        legs=tuple(Leg(outcome, book, price, share) for outcome, book, price, share in columns),
    )
