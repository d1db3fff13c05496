"""Bets that cover each other: sure bets, middles, low hold, free bets; what can be booked, and where rules differ."""

from ml.arbitrage.commission import lay_as_back, lay_stake, net_price
from ml.arbitrage.sure import NO_BOOK, Arbitrage, arbitrage

__all__ = ["NO_BOOK", "Arbitrage", "arbitrage", "lay_as_back", "lay_stake", "net_price"]
