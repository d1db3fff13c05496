"""Alerts as records, and their life: opened, updated when their value moves, closed with a reason."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from ml.quotes import Micros
    from ml.scoring.rules import ScoringRules

State = Literal["opened", "updated", "closed"]
_NAMESPACE = uuid.UUID("6f3c4f6e-2f0b-4d5e-9d0a-1d6f0d2b7a11")


class AlertKey(NamedTuple):
    """What an alert is about; at most one alert is open for it. An arbitrage has no outcome and no book.

    `point` is the selection's own point (the line's, for an arbitrage), None where the market has none.
    """

    kind: Literal["value", "arbitrage"]
    event: int
    market: int
    point: float | None
    outcome: int | None = None
    book: int | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One bet of an arbitrage; `stake_fraction` is its share of the total stake."""

    outcome: int
    book: int
    price: float
    stake_fraction: float


@dataclass(frozen=True, slots=True)
class Worth:
    """The numbers of an alert. For an arbitrage `expected_value` is the guaranteed return, and the
    fields that need a fair price are None.
    """

    expected_value: float
    books: int
    price_age_s: float
    price: float | None = None
    fair_probability: float | None = None
    implied_probability: float | None = None
    edge: float | None = None
    kelly_fraction: float | None = None
    confidence: float | None = None
    method_spread: float | None = None
    legs: tuple[Leg, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One step in the life of an alert; `(alert_id, seq)` identifies it, whoever computes it."""

    alert_id: uuid.UUID
    seq: int
    state: State
    reason: str | None
    key: AlertKey
    worth: Worth
    observed_at: Micros
    poll_id: int
    tick_poll_id: int


def open_alert(key: AlertKey, worth: Worth, observed_at: Micros, poll_id: int, tick_poll_id: int) -> Alert:
    """The first step; its id follows from what it is about and when, so a repeated computation repeats it."""
    name = "|".join(map(str, (*key, observed_at)))
    return Alert(uuid.uuid5(_NAMESPACE, name), 0, "opened", None, key, worth, observed_at, poll_id, tick_poll_id)


def update_alert(alert: Alert, worth: Worth, observed_at: Micros, poll_id: int, tick_poll_id: int) -> Alert:
    """The next step while it stays open."""
    return replace(
        alert,
        seq=alert.seq + 1,
        state="updated",
        worth=worth,
        observed_at=observed_at,
        poll_id=poll_id,
        tick_poll_id=tick_poll_id,
    )


def close_alert(alert: Alert, reason: str, observed_at: Micros, poll_id: int) -> Alert:
    """The last step; it repeats the numbers with which the alert was last seen."""
    return replace(alert, seq=alert.seq + 1, state="closed", reason=reason, observed_at=observed_at, poll_id=poll_id)


def moved(last: Worth, now: Worth, rules: ScoringRules) -> bool:
    """Whether the numbers differ enough to tell the user again."""
    if last.price != now.price or [(leg.book, leg.price) for leg in last.legs] != [
        (leg.book, leg.price) for leg in now.legs
    ]:
        return True
    if last.fair_probability is None or now.fair_probability is None:
        return False
    return abs(last.fair_probability - now.fair_probability) >= rules.update_probability
