"""Alerts as records, and their life cycle: opened, updated when their value moves, closed with a reason.

The records are msgspec structs, which are much cheaper to create than frozen data classes.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ml.quotes import Micros
    from ml.scoring.rules import ScoringRules

AlertState = Literal["opened", "updated", "closed"]
_ALERT_ID_NAMESPACE = uuid.UUID("6f3c4f6e-2f0b-4d5e-9d0a-1d6f0d2b7a11")


AlertKind = Literal["value", "arbitrage", "likely_error"]
"""A likely error resembles value, or an arbitrage whose legs are all at one book or its clones, but is too good to be
true: the book may void the bets."""


class AlertKey(NamedTuple):
    """What an alert is about; at most one alert is open per key. Alerts with legs have no outcome and no book.

    `point` is the selection's own point (the line's for an arbitrage), None where the market has none.
    """

    kind: AlertKind
    event: int
    market: int
    point: float | None
    outcome: int | None = None
    book: int | None = None


def sort_key(key: AlertKey) -> tuple[int | float | str, ...]:
    """What the alerts of a step are sorted by, so that their order is deterministic."""
    return tuple([-1 if part is None else part for part in key])


class Leg(Struct, frozen=True):
    """One bet of an arbitrage; `stake_fraction` is its share of the total stake."""

    outcome: int
    book: int
    price: float
    stake_fraction: float


class AlertMetrics(Struct, frozen=True):
    """The figures of an alert. For an arbitrage `expected_value` is the guaranteed return, and the fields that need a
    fair price are None.

    `price` is as offered; implied probability, edge and value are after the exchange's commission.
    `fair_probability` and its `standard_error` are conditional on no push; `push_probability` is the probability of one
    (on quarter lines, the expected share of the stake that is returned). `expected_value_low` and `expected_value_high`
    bound a 90% interval; `probability_positive` is the probability that the expected value is positive.
    `kelly_fraction` takes the fair probability at face value, `stake_fraction` is the stake after the risk controls.
    `market_width` is the overround of the tightest book, `hold` that of the best prices of all books (negative for an
    arbitrage). `error_probability` is the probability of a palpable error (`ml.market.palpable`), 0 where there is no
    evidence. `rules` states whether the books of an arbitrage settle alike (`ml.settlement.RulesAgreement`), else None.
    """

    expected_value: float
    books: int
    price_age_s: float
    price: float | None = None
    fair_probability: float | None = None
    implied_probability: float | None = None
    edge: float | None = None
    standard_error: float | None = None
    expected_value_low: float | None = None
    expected_value_high: float | None = None
    probability_positive: float | None = None
    push_probability: float | None = None
    kelly_fraction: float | None = None
    stake_fraction: float | None = None
    confidence: float | None = None
    method_spread: float | None = None
    market_width: float | None = None
    hold: float | None = None
    error_probability: float | None = None
    rules: str | None = None
    legs: tuple[Leg, ...] = ()


class Alert(Struct, frozen=True):
    """One step in the life of an alert. `(alert_id, seq)` identifies it, and a recomputation gives the same."""

    alert_id: uuid.UUID
    seq: int
    state: AlertState
    reason: str | None
    key: AlertKey
    metrics: AlertMetrics
    observed_at: Micros
    poll_id: int
    tick_poll_id: int


def open_alert(key: AlertKey, metrics: AlertMetrics, observed_at: Micros, poll_id: int, tick_poll_id: int) -> Alert:
    """The first step. The id is derived from key and time, so a recomputation gives the same one."""
    name = "|".join(map(str, (*key, observed_at)))
    return Alert(
        uuid.uuid5(_ALERT_ID_NAMESPACE, name), 0, "opened", None, key, metrics, observed_at, poll_id, tick_poll_id
    )


def update_alert(alert: Alert, metrics: AlertMetrics, observed_at: Micros, poll_id: int, tick_poll_id: int) -> Alert:
    """The next step of an alert that stays open."""
    return replace(
        alert,
        seq=alert.seq + 1,
        state="updated",
        metrics=metrics,
        observed_at=observed_at,
        poll_id=poll_id,
        tick_poll_id=tick_poll_id,
    )


def close_alert(alert: Alert, reason: str, observed_at: Micros, poll_id: int) -> Alert:
    """The last step; it repeats the metrics of the step before."""
    return replace(alert, seq=alert.seq + 1, state="closed", reason=reason, observed_at=observed_at, poll_id=poll_id)


def has_price_moved(last: AlertMetrics, price: float, fair: float, rules: ScoringRules) -> bool:
    """Whether the price or its fair probability has moved enough since the last step to publish an update."""
    return last.price != price or abs((last.fair_probability or 0.0) - fair) >= rules.min_probability_change


def has_legs_changed(last: AlertMetrics, books: Sequence[int], prices: Sequence[float]) -> bool:
    """Whether the legs of an arbitrage differ from those of its last step."""
    return [(leg.book, leg.price) for leg in last.legs] != list(zip(books, prices, strict=True))
