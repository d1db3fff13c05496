"""Stake sizing."""

from ml.staking.controls import CONTROLS, Control, ControlledStakes, StakePolicy, StakeRequests, apply_controls
from ml.staking.kelly import given_no_push, kelly_fraction, kelly_with_push, shrinkage
from ml.staking.outcomes import EventOutcomes, GrowthObjective, correlated_bets, exclusive_bets, single_bet
from ml.staking.simultaneous import ExposureLimit, StakePlan, simultaneous_kelly

__all__ = [
    "CONTROLS",
    "Control",
    "ControlledStakes",
    "EventOutcomes",
    "ExposureLimit",
    "GrowthObjective",
    "StakePlan",
    "StakePolicy",
    "StakeRequests",
    "apply_controls",
    "correlated_bets",
    "exclusive_bets",
    "given_no_push",
    "kelly_fraction",
    "kelly_with_push",
    "shrinkage",
    "simultaneous_kelly",
    "single_bet",
]
