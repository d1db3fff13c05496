"""Alert metrics: computed as columns for prices, one by one for arbitrages."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.market import (
    PLAIN_METHODS,
    DevigMethod,
    add_method_uncertainty,
    confidence,
    devig_by_method,
    edge,
    expected_value,
    pool_by_method,
    probability_of_value,
    probability_standard_error,
    to_log_odds,
    value_interval,
)
from ml.market.methods import booksum
from ml.market.pooling import TWO_WAY
from ml.points import line_win_push_loss
from ml.quotes import MICROS_PER_SECOND, UNKNOWN_TIME
from ml.scoring.alerts import AlertMetrics, Leg
from ml.scoring.strategy import Portfolio, ValuedBets
from ml.staking import apply_controls, kelly_fraction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ml.market.pooling import Pool
    from ml.points import PointModel
    from ml.quotes import Market, Micros
    from ml.scoring.arbitrages import Arbitrages
    from ml.scoring.matrix import LineView
    from ml.scoring.rules import ScoringRules
    from ml.scoring.strategy import Strategy
    from ml.scoring.valuation import Valuation
    from ml.settlement import RulesAgreement

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class AlertMetricsBatch:
    """The `AlertMetrics` of M prices as columns (M,); `outcome`, `line` and `book` index the valued lines."""

    outcome: Index
    line: Index
    book: Index
    expected_value: Array
    books: NDArray[np.int64]
    price_age_s: Array
    price: Array
    fair_probability: Array
    implied_probability: Array
    edge: Array
    standard_error: Array
    expected_value_low: Array
    expected_value_high: Array
    probability_positive: Array
    push_probability: Array
    kelly_fraction: Array
    stake_fraction: Array
    confidence: Array
    method_spread: Array
    market_width: Array
    hold: Array
    error_probability: Array


METRIC_FIELDS = tuple(field.name for field in fields(AlertMetricsBatch))[3:]
"""The metrics of a price, by their names in `AlertMetrics`."""


def compute_metrics(
    valuation: Valuation,
    chosen: Index | slice,
    point_models: Mapping[Market, PointModel],
    now: Micros,
    rules: ScoringRules,
    strategy: Strategy,
) -> AlertMetricsBatch:
    """The metrics of the `chosen` alertable prices of a valuation; `strategy` requests their stakes."""
    outcome, line, book = cells = tuple(column[chosen] for column in valuation.alertable)
    lines, consensus = valuation.lines, valuation.fair.consensus
    fair, price = valuation.fair.probability[outcome, line], valuation.price[cells]
    below, above = _method_range(cells, lines, consensus, rules)
    spread = below + above
    error = probability_standard_error(
        fair, add_method_uncertainty(valuation.log_odds_error[chosen], fair, below, above)
    )
    push = _push_probability(line, valuation, point_models)
    low, high = value_interval(fair, price, error, push)
    age = _age_seconds(lines.confirmed_at[line, book], now)
    tightest, best = _width_and_hold(line, valuation)
    return AlertMetricsBatch(
        outcome,
        line,
        book,
        expected_value=expected_value(fair, price, push),
        books=consensus.books[line],
        price_age_s=age,
        price=lines.price[cells],
        fair_probability=fair,
        implied_probability=1 / price,
        edge=edge(fair, price),
        standard_error=error,
        expected_value_low=low,
        expected_value_high=high,
        probability_positive=probability_of_value(fair, price, error),
        push_probability=push,
        kelly_fraction=kelly_fraction(fair, price, rules.kelly_cap),
        stake_fraction=_stake_fraction(ValuedBets(fair, error, price), strategy, rules),
        confidence=confidence(consensus.books[line], age, spread, consensus.dispersion[line]),
        method_spread=spread,
        market_width=tightest,
        hold=best,
        error_probability=_nan_to_zero(valuation.error_probability[chosen]),
    )


def _method_range(
    cells: tuple[Index, ...], lines: LineView, consensus: Pool, rules: ScoringRules
) -> tuple[Array, Array]:
    """How far the other de-vig methods' consensus lies below and above the chosen method's, in log-odds (M,) each.

    Only books with their own prices on the line count. Computed for alerts only: for every line it would take longer
    than the whole valuation.
    """
    outcome, line, _ = cells
    fair_log_odds = lines.fair_log_odds.take(line, axis=1)
    others = devig_by_method(lines.price.transpose(1, 2, 0)[line], _other_methods(rules.method, len(lines.price)))
    counted = np.where(np.isnan(fair_log_odds[0]), 0.0, consensus.weight[line])
    pooled = pool_by_method([fair_log_odds, *map(to_log_odds, others.values())], counted)[
        :, outcome, np.arange(len(line))
    ]
    return _nan_to_zero(pooled[0] - np.fmin.reduce(pooled)), _nan_to_zero(np.fmax.reduce(pooled) - pooled[0])


def _other_methods(method: DevigMethod, outcomes: int) -> list[DevigMethod]:
    """The methods to compare with. For two outcomes Shin's equals the additive one or has no solution."""
    idle = {method, DevigMethod.SHIN} if outcomes == TWO_WAY else {method}
    return [other for other in PLAIN_METHODS if other not in idle]


def _push_probability(line: Index, valuation: Valuation, point_models: Mapping[Market, PointModel]) -> Array:
    """The expected share of the stake that is returned (M,); 0 where no model covers the market."""
    lines, fair = valuation.lines, valuation.fair.probability[0]
    push, threshold = np.zeros(len(line)), lines.threshold()[line]
    for name, model in point_models.items():
        some = np.flatnonzero((lines.market[line] == int(name)) & (threshold % 1 != 0.5))  # noqa: PLR2004 - a half cannot push
        if some.size:
            push[some] = _nan_to_zero(line_win_push_loss(model, threshold[some], fair[line[some]]).push)
    return push


def _nan_to_zero(number: Array) -> Array:
    return np.where(np.isnan(number), 0.0, number)


def _age_seconds(confirmed_at: NDArray[np.int64], now: Micros) -> Array:
    return np.where(
        confirmed_at == UNKNOWN_TIME, np.inf, np.maximum(now - np.maximum(confirmed_at, 0), 0) / MICROS_PER_SECOND
    )


def _width_and_hold(line: Index, valuation: Valuation) -> tuple[Array, Array]:
    """The overround of the tightest book with weight, and the hold of the best prices of all books, (M,) each."""
    own = np.where(valuation.fair.consensus.weight[line] > 0, valuation.lines.booksum[line], np.nan)
    tightest = np.fmin.reduce(own, axis=1, initial=np.nan) - 1
    return tightest, 1 - 1 / booksum(1 / np.fmax.reduce(valuation.price[:, line], axis=2, initial=np.nan))


def _stake_fraction(bets: ValuedBets, strategy: Strategy, rules: ScoringRules) -> Array:
    """The strategy's requested stakes after the risk controls, from a bankroll at its peak without open bets (M,)."""
    wanted = strategy.request_stakes(bets, Portfolio())
    return np.minimum(apply_controls(wanted.stakes, wanted.requests, rules.policy).stakes, rules.kelly_cap)


def price_metrics(batch: AlertMetricsBatch) -> Iterator[AlertMetrics]:
    """The metrics of each price of a batch, in order."""
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
    """The metrics of arbitrage number `index`: its guaranteed return and its legs at `book_ids`.

    `price_age_s` is the age of the oldest price; `rules` states whether the books settle alike.
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
