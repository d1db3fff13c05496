"""Bets that cover each other: sure bets, middles, low hold, free bets; what can be booked, and where rules differ."""

from ml.arbitrage.sure import NO_BOOK, Arbitrage, arbitrage

__all__ = ["NO_BOOK", "Arbitrage", "arbitrage"]
