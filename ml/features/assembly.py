"""All features of events: the one place in which training, scorer and backtest make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.features.prices import price_features
from ml.features.registry import join_tables
from ml.features.teams import team_features

if TYPE_CHECKING:
    from ml.features.market_view import MarketView
    from ml.features.prices import Base
    from ml.features.registry import FeatureTable
    from ml.features.teams import TeamSource


def build_features(view: MarketView, base: Base, teams: TeamSource) -> FeatureTable:
    """All features of the events of a view, of what `teams` knew at its moments."""
    return join_tables([price_features(view, base), team_features(view, teams)])
