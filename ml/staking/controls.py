"""Risk controls between a wanted stake and a placed one: small, independent, in one fixed order.

Each control says how much of a stake it allows; the chain keeps the smaller, so that none can raise a stake
and a later one cannot undo an earlier one. All always run: a policy chooses numbers, never whether. Stakes
are shares of the bankroll.
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
    """The numbers of the controls, all shares in (0, 1]; raises `ValueError` for others."""

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
                msg = f"{field.name} is a share above 0 and up to 1, not {getattr(self, field.name)}"
                raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class StakeRequests:
    """Wanted bets (J,): prices, standard errors `standard_error` of their probabilities, labels, and what is at risk.

    `bankroll` and its `peak` in the same currency. Labels are None where each bet has one of its own. `at_risk` maps
    "event", "league", "book" and "day" to what is already staked, in bankrolls, for each bet's own label (J,); a kind
    that is left out has nothing at risk.
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
    """`allows(stakes, requests, policy)` (J,): the most that each bet may have, given what the others have."""

    name: str
    reason: str
    allows: Callable[[Array, StakeRequests, StakePolicy], Array]


@dataclass(frozen=True, slots=True, eq=False)
class ControlledStakes:
    """Final `stakes` (J,); `binding_control` (J,), the name of the control that last lowered each, "" for none.

    `history` (C + 1, J): the stakes as wanted, then after each of `CONTROLS`.
    """

    stakes: Array
    binding_control: NDArray[np.str_]
    history: Array


def reject_unknown(stakes: Array, requests: StakeRequests, _policy: StakePolicy) -> Array:
    """Nothing on a bet with a number missing or no profit to win, or while the bankroll is unknown."""
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
    """A fixed share of Kelly: half keeps 3/4 of the growth at 1/2 of the volatility (Thorp 2006)."""
    return policy.kelly_multiplier * stakes


def limit_by_drawdown(stakes: Array, requests: StakeRequests, policy: StakePolicy) -> Array:
    """Stakes in proportion to what is left above the floor (Grossman & Zhou 1993, Mathematical Finance 3:241).

    Floor = (1 - drawdown) x peak; (1 - floor / bankroll) / drawdown: 1 at the peak, 0 at the floor. Total
    stakes up to `max_drawdown` cannot fall through it.
    """
    if not requests.bankroll > 0:
        return np.zeros_like(stakes)
    left = 1.0 - (1.0 - policy.max_drawdown) * requests.peak / requests.bankroll
    return stakes * min(max(left / policy.max_drawdown, 0.0), 1.0)


def limit_per_bet(stakes: Array, _requests: StakeRequests, policy: StakePolicy) -> Array:
    """No single bet above `policy.bet`."""
    return np.full_like(stakes, policy.bet)


def limit_per_group(kind: str) -> Callable[[Array, StakeRequests, StakePolicy], Array]:
    """All bets of a label together with what is at risk on it; the new ones are cut in proportion."""

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
    Control("known", "a number is missing or nothing can be won", reject_unknown),
    Control("uncertainty", "the edge is uncertain", shrink_uncertain),
    Control("fraction", "the policy stakes a share of Kelly", apply_kelly_multiplier),
    Control("drawdown", "the bankroll is below its peak", limit_by_drawdown),
    Control("bet", "one bet carries too much", limit_per_bet),
    Control("event", "one event carries too much", limit_per_group("event")),
    Control("league", "one league carries too much", limit_per_group("league")),
    Control("book", "one book holds too much", limit_per_group("book")),
    Control("day", "one day carries too much", limit_per_group("day")),
)


def apply_controls(stakes: Array, requests: StakeRequests, policy: StakePolicy) -> ControlledStakes:
    """Wanted `stakes` (J,) after all controls, in order, and which of them bound."""
    history, binding_control = np.empty((1 + len(CONTROLS), *stakes.shape)), np.full(stakes.shape, "", dtype="<U16")
    history[0] = before = stakes
    for i, control in enumerate(CONTROLS, start=1):
        allowed = control.allows(before, requests, policy)
        if allowed is not before:
            after = np.fmax(np.minimum(before, allowed), 0.0)  # a control that cannot tell allows nothing
            lowered = ~(after >= before)
            if lowered.any():
                binding_control[lowered] = control.name
            before = after
        history[i] = before
    return ControlledStakes(before, binding_control, history)
