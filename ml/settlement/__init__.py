"""Results, books' rules, and what both make of a bet."""

from ml.settlement.bets import STATUSES, Bets, Games, Settlement, Verdict, settle_bets
from ml.settlement.rules import (
    Abandoned,
    Agreement,
    Conflict,
    DeadHeat,
    Period,
    Pitchers,
    Retirement,
    Rules,
    SettlementRules,
    Tie,
    agreement,
    conflict,
    conflicts,
)
from ml.settlement.scores import GameReport, GameStatus, Score, ScorePeriod
from ml.settlement.shares import Shares, settle_scores
from ml.settlement.table import known_rules

__all__ = [
    "STATUSES",
    "Abandoned",
    "Agreement",
    "Bets",
    "Conflict",
    "DeadHeat",
    "GameReport",
    "GameStatus",
    "Games",
    "Period",
    "Pitchers",
    "Retirement",
    "Rules",
    "Score",
    "ScorePeriod",
    "Settlement",
    "SettlementRules",
    "Shares",
    "Tie",
    "Verdict",
    "agreement",
    "conflict",
    "conflicts",
    "known_rules",
    "settle_bets",
    "settle_scores",
]
