"""How much to stake on a price that is worth it."""

from ml.staking.controls import CONTROLS, Control, Controlled, Policy, Slip, controlled
from ml.staking.kelly import decided, kelly_fraction, kelly_with_push, shrinkage
from ml.staking.outcomes import Event, Outcomes, exclusive, pair, single
from ml.staking.simultaneous import Exposure, Plan, simultaneous_kelly

__all__ = [
    "CONTROLS",
    "Control",
    "Controlled",
    "Event",
    "Exposure",
    "Outcomes",
    "Plan",
    "Policy",
    "Slip",
    "controlled",
    "decided",
    "exclusive",
    "kelly_fraction",
    "kelly_with_push",
    "pair",
    "shrinkage",
    "simultaneous_kelly",
    "single",
]
