"""Market keys of The Odds API that several packages use."""

from __future__ import annotations

LAY_TWINS = {"h2h": "h2h_lay", "outrights": "outrights_lay"}
"""Exchanges return these lay markets unrequested."""


def with_lay_twins(markets: tuple[str, ...]) -> frozenset[str]:
    """The markets of a response: those requested, and the lay markets that exchanges add."""
    return frozenset(markets) | {LAY_TWINS[market] for market in markets if market in LAY_TWINS}
