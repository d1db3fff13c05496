"""Bets that cover each other: sure bets, middles, low hold, free bets; what can be booked, and where rules differ."""

from ml.arbitrage.commission import lay_as_back, lay_stake, net_price
from ml.arbitrage.free_bets import Conversion, Hedge, best_conversion, bonus_bet, free_bet, hedge, refunded_bet
from ml.arbitrage.hold import Holds, holds, ranking
from ml.arbitrage.middles import BestPairs, Pair, PairKind, best_pairs, pair
from ml.arbitrage.rounding import Booked, booked
from ml.arbitrage.ruled import RuledArbitrage, ruled_arbitrage, ruled_pairs
from ml.arbitrage.sized import Sized, sized_arbitrage
from ml.arbitrage.stakes import StakeLimits, Stakes, best_stakes
from ml.arbitrage.sure import NO_BOOK, Arbitrage, arbitrage

__all__ = [
    "NO_BOOK",
    "Arbitrage",
    "BestPairs",
    "Booked",
    "Conversion",
    "Hedge",
    "Holds",
    "Pair",
    "PairKind",
    "RuledArbitrage",
    "Sized",
    "StakeLimits",
    "Stakes",
    "arbitrage",
    "best_conversion",
    "best_pairs",
    "best_stakes",
    "bonus_bet",
    "booked",
    "free_bet",
    "hedge",
    "holds",
    "lay_as_back",
    "lay_stake",
    "net_price",
    "pair",
    "ranking",
    "refunded_bet",
    "ruled_arbitrage",
    "ruled_pairs",
    "sized_arbitrage",
]
