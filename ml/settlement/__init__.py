"""Results, books' settlement rules, and the settlement of bets."""

from ml.settlement.bets import GAME_STATUSES, Bets, BetStatus, SettledGames, Settlement, settle_bets
from ml.settlement.rule_book import find_rules
from ml.settlement.rules import (
    Abandoned,
    Conflict,
    DeadHeat,
    Period,
    Pitchers,
    Retirement,
    Rules,
    RulesAgreement,
    SettlementRules,
    Tie,
    agreement,
    conflict,
    conflict_matrix,
)
from ml.settlement.scores import GameReport, GameStatus, Score, ScorePeriod
from ml.settlement.shares import StakeShares, settle_scores

__all__ = [
    "GAME_STATUSES",
    "Abandoned",
    "BetStatus",
    "Bets",
    "Conflict",
    "DeadHeat",
    "GameReport",
    "GameStatus",
    "Period",
    "Pitchers",
    "Retirement",
    "Rules",
    "RulesAgreement",
    "Score",
    "ScorePeriod",
    "SettledGames",
    "Settlement",
    "SettlementRules",
    "StakeShares",
    "Tie",
    "agreement",
    "conflict",
    "conflict_matrix",
    "find_rules",
    "settle_bets",
    "settle_scores",
]
