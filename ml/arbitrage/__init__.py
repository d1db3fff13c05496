"""Bets that cover each other: sure bets, middles, low hold, free bets; what can be booked, and where rules differ."""

from ml.arbitrage.commission import lay_as_back, lay_stake, net_price
from ml.arbitrage.middles import BestPairs, Pair, PairKind, best_pairs, pair
from ml.arbitrage.sized import Sized, sized_arbitrage
from ml.arbitrage.stakes import StakeLimits, Stakes, best_stakes
from ml.arbitrage.sure import NO_BOOK, Arbitrage, arbitrage

__all__ = [
    "NO_BOOK",
    "Arbitrage",
    "BestPairs",
    "Pair",
    "PairKind",
    "Sized",
    "StakeLimits",
    "Stakes",
    "arbitrage",
    "best_pairs",
    "best_stakes",
    "lay_as_back",
    "lay_stake",
    "net_price",
    "pair",
    "sized_arbitrage",
]
