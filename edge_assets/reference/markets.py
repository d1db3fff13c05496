"""Market keys of The Odds API that more than one room knows."""

from __future__ import annotations

LAY_TWINS = {"h2h": "h2h_lay", "outrights": "outrights_lay"}
"""Exchanges add their lay prices to these markets without being asked."""


def with_lay_twins(markets: tuple[str, ...]) -> frozenset[str]:
    """The markets that an answer holds: those asked for, and the lay markets that exchanges add."""
    return frozenset(markets) | {LAY_TWINS[market] for market in markets if market in LAY_TWINS}
