"""Arbitrage, middles, low hold and free bets; bookable stakes and books with compatible rules."""

from ml.arbitrage.best_price import NO_BOOK, Arbitrage, find_arbitrage
from ml.arbitrage.bookable import BookableStakes, round_stakes
from ml.arbitrage.commission import lay_as_back, lay_stake, net_price
from ml.arbitrage.compatible import CompatibleArbitrage, find_compatible_arbitrage, find_compatible_pairs
from ml.arbitrage.free_bets import (
    FreeBetConversion,
    Hedge,
    best_conversion,
    hedge,
    hedge_free_bet_snr,
    hedge_free_bet_sr,
    hedge_risk_free_bet,
)
from ml.arbitrage.hold import LowHold, low_hold, rank_by_hold
from ml.arbitrage.limited import LimitedArbitrage, size_limited_arbitrage
from ml.arbitrage.middles import BestPairs, PairKind, PairValues, best_pairs, value_pairs
from ml.arbitrage.stakes import BestStakes, StakeLimits, best_stakes

__all__ = [
    "NO_BOOK",
    "Arbitrage",
    "BestPairs",
    "BestStakes",
    "BookableStakes",
    "CompatibleArbitrage",
    "FreeBetConversion",
    "Hedge",
    "LimitedArbitrage",
    "LowHold",
    "PairKind",
    "PairValues",
    "StakeLimits",
    "best_conversion",
    "best_pairs",
    "best_stakes",
    "find_arbitrage",
    "find_compatible_arbitrage",
    "find_compatible_pairs",
    "hedge",
    "hedge_free_bet_snr",
    "hedge_free_bet_sr",
    "hedge_risk_free_bet",
    "lay_as_back",
    "lay_stake",
    "low_hold",
    "net_price",
    "rank_by_hold",
    "round_stakes",
    "size_limited_arbitrage",
    "value_pairs",
]
