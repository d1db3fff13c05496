"""One name for a team and one event for a game, whatever a source calls them. Pure: no database, no feed."""

from edge_assets.matching.fixtures import Fixture, Match, Matching, first_listed, match_fixtures
from edge_assets.matching.sides import Sides, are_exchanged, exchange_side, exchange_sides, has_placeholder
from edge_assets.matching.teams import canonical, team_key

__all__ = [
    "Fixture",
    "Match",
    "Matching",
    "Sides",
    "are_exchanged",
    "canonical",
    "exchange_side",
    "exchange_sides",
    "first_listed",
    "has_placeholder",
    "match_fixtures",
    "team_key",
]
