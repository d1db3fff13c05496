"""Risk controls between a requested stake and the final one: small, independent, in one fixed order.

Each control returns the stake it allows; the chain keeps the minimum, so that none can raise a stake or undo an earlier
one. All of them always run: a policy sets limits, it cannot switch a control off. Stakes are shares of the bankroll.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ml.staking.kelly import shrinkage

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Labels = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class StakePolicy:
    """The limits of the controls, all shares in (0, 1]; raises `ValueError` for others."""

    kelly_multiplier: float = 0.5
    max_drawdown: float = 0.25
    bet: float = 0.03
    event: float = 0.05
    league: float = 0.15
    book: float = 0.2
    day: float = 0.25

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 < getattr(self, field.name) <= 1:
                msg = f"{field.name} must be in (0, 1], got {getattr(self, field.name)}"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class StakeRequests:
    """Requested bets (J,): prices, the `standard_error` of their probabilities, labels, and stakes at risk.

    `bankroll` and its `peak` in the same currency. Labels are None where each bet has its own. `at_risk` maps "event",
    "league", "book" and "day" to the stakes already placed, in bankrolls, under each bet's label (J,); a missing kind
    means none.
    """

    price: Array
    standard_error: Array
    event: Labels | None
    league: Labels | None
    book: Labels | None
    day: Labels | None
    at_risk: dict[str, Array]
    bankroll: float
    peak: float


@dataclass(frozen=True, slots=True)
class Control:
    """`allows(stakes, requests, policy)` (J,): the maximum stake of each bet, given the others."""

    name: str
    reason: str
    allows: Callable[[Array, StakeRequests, StakePolicy], Array]


@dataclass(frozen=True, slots=True, eq=False)
class ControlledStakes:
    """Final `stakes` (J,); `binding_control` (J,), the name of the last control that lowered it, "" for none.

    `history` (C + 1, J): the stakes as requested, then after each of `CONTROLS`.
    """

    stakes: Array
    binding_control: NDArray[np.str_]
    history: Array


def reject_unknown(stakes: Array, requests: StakeRequests, _policy: StakePolicy) -> Array:
    """No stake on a bet with invalid numbers or nothing to win, or while the bankroll is unknown."""
    whole = (
        np.isfinite(stakes)
        & np.isfinite(requests.standard_error)
        & (requests.standard_error >= 0)
        & np.isfinite(requests.price)
    )
    return np.where(whole & (requests.price > 1) & (requests.bankroll > 0) & np.isfinite(requests.peak), np.inf, 0.0)


def shrink_uncertain(stakes: Array, requests: StakeRequests, _policy: StakePolicy) -> Array:
    """Baker-McHale: `shrinkage` x stake."""
    wagered = stakes > 0
    kept = shrinkage(stakes, np.where(wagered, requests.price, 2.0), np.where(wagered, requests.standard_error, 0.0))
    return kept * stakes


def apply_kelly_multiplier(stakes: Array, _requests: StakeRequests, policy: StakePolicy) -> Array:
    """Fractional Kelly: half Kelly keeps 3/4 of the growth at 1/2 of the volatility (Thorp 2006)."""
    return policy.kelly_multiplier * stakes


def limit_by_drawdown(stakes: Array, requests: StakeRequests, policy: StakePolicy) -> Array:
    """Stakes proportional to the bankroll above a floor (Grossman & Zhou 1993, Mathematical Finance 3:241).

    Floor = (1 - max_drawdown) x peak; factor (1 - floor / bankroll) / max_drawdown: 1 at the peak, 0 at the floor.
    Total stakes up to `max_drawdown` cannot take the bankroll below it.
    """
    if not requests.bankroll > 0:
        return np.zeros_like(stakes)
    left = 1.0 - (1.0 - policy.max_drawdown) * requests.peak / requests.bankroll
    return stakes * min(max(left / policy.max_drawdown, 0.0), 1.0)


def limit_per_bet(stakes: Array, _requests: StakeRequests, policy: StakePolicy) -> Array:
    """No single bet above `policy.bet`."""
    return np.full_like(stakes, policy.bet)


def limit_per_group(kind: str) -> Callable[[Array, StakeRequests, StakePolicy], Array]:
    """Limit the total of a label's bets and stakes at risk; new bets are scaled down proportionally."""

    def allows(stakes: Array, requests: StakeRequests, policy: StakePolicy) -> Array:
        wanted = _group_totals(getattr(requests, kind), stakes)
        room = np.maximum(getattr(policy, kind) - requests.at_risk.get(kind, 0.0), 0.0)
        if (wanted <= room).all():
            return stakes
        kept: Array = np.divide(room, wanted, out=np.ones_like(stakes), where=~(wanted <= room))
        return stakes * kept

    return allows


def _group_totals(labels: Labels | None, stakes: Array) -> Array:
    """The stakes (J,) of all bets with the same label as each."""
    if labels is None:
        return stakes
    _, group = np.unique(labels, return_inverse=True)
    return np.bincount(group, weights=stakes)[group]  # type: ignore[return-value]  # the stubs take weights for counts


CONTROLS = (
    Control("known", "invalid input, or nothing to win", reject_unknown),
    Control("uncertainty", "the edge estimate is uncertain", shrink_uncertain),
    Control("fraction", "fractional Kelly", apply_kelly_multiplier),
    Control("drawdown", "the bankroll is in drawdown", limit_by_drawdown),
    Control("bet", "the limit per bet is reached", limit_per_bet),
    Control("event", "the limit per event is reached", limit_per_group("event")),
    Control("league", "the limit per league is reached", limit_per_group("league")),
    Control("book", "the limit per book is reached", limit_per_group("book")),
    Control("day", "the limit per day is reached", limit_per_group("day")),
)


def apply_controls(stakes: Array, requests: StakeRequests, policy: StakePolicy) -> ControlledStakes:
    """Apply all controls, in order, to requested `stakes` (J,)."""
    history, binding_control = np.empty((1 + len(CONTROLS), *stakes.shape)), np.full(stakes.shape, "", dtype="<U16")
    history[0] = before = stakes
    for i, control in enumerate(CONTROLS, start=1):
        allowed = control.allows(before, requests, policy)
        if allowed is not before:
            after = np.fmax(np.minimum(before, allowed), 0.0)  # a control that returns NaN allows nothing
            lowered = ~(after >= before)
            if lowered.any():
                binding_control[lowered] = control.name
            before = after
        history[i] = before
    return ControlledStakes(before, binding_control, history)
