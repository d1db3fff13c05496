"""Alerts as records, and their life: opened, updated when their value moves, closed with a reason.

The records are structs of msgspec: frozen data classes take ten times as long to make, and a poll makes some twenty.
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
"""A likely error looks like value, or like an arbitrage (with legs, all at one book or its copies), but is too good to
be true: the book may void the bets."""


class AlertKey(NamedTuple):
    """What an alert is about; at most one alert is open for it. What has legs has no outcome and no book.

    `point` is the selection's own point (the line's, for an arbitrage), None where the market has none.
    """

    kind: AlertKind
    event: int
    market: int
    point: float | None
    outcome: int | None = None
    book: int | None = None


class Leg(Struct, frozen=True):
    """One bet of an arbitrage; `stake_fraction` is its share of the total stake."""

    outcome: int
    book: int
    price: float
    stake_fraction: float


class AlertMetrics(Struct, frozen=True):
    """The numbers of an alert. For an arbitrage `expected_value` is the guaranteed return, and the fields that need
    a fair price are None.

    `price` is as offered; what it implies, its edge and its value are after the exchange's commission.
    `fair_probability` and its `standard_error` hold given that the bet is not a push, which happens with
    `push_probability` (the average share of the stake that comes back, for quarter lines). The interval of the expected
    value holds it with 90%; `probability_positive` is the chance that the bet is worth anything. `kelly_fraction`
    believes the fair probability, `stake_fraction` is what the risk controls leave of it. `market_width` is the
    overround of the tightest book, `hold` that of the best prices of all, below 0 for an arbitrage.
    `error_probability` is that of a mistake of the book's (`ml.market.palpable`), 0 where nothing tells.
    `rules` says of an arbitrage whether its books settle alike (`ml.settlement.Agreement`), None of anything else.
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
    """One step in the life of an alert; `(alert_id, seq)` identifies it, whoever computes it."""

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
    """The first step; its id follows from what it is about and when, so a repeated computation repeats it."""
    name = "|".join(map(str, (*key, observed_at)))
    return Alert(
        uuid.uuid5(_ALERT_ID_NAMESPACE, name), 0, "opened", None, key, metrics, observed_at, poll_id, tick_poll_id
    )


def update_alert(alert: Alert, metrics: AlertMetrics, observed_at: Micros, poll_id: int, tick_poll_id: int) -> Alert:
    """The next step while it stays open."""
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
    """The last step; it repeats the numbers with which the alert was last seen."""
    return replace(alert, seq=alert.seq + 1, state="closed", reason=reason, observed_at=observed_at, poll_id=poll_id)


def has_price_moved(last: AlertMetrics, price: float, fair: float, rules: ScoringRules) -> bool:
    """Whether a price or what is fair differs enough from the numbers last told to tell them again."""
    return last.price != price or abs((last.fair_probability or 0.0) - fair) >= rules.min_probability_change


def has_legs_changed(last: AlertMetrics, books: Sequence[int], prices: Sequence[float]) -> bool:
    """Whether an arbitrage is made of other bets than when it was last told."""
    return [(leg.book, leg.price) for leg in last.legs] != list(zip(books, prices, strict=True))
