"""Match teams and events across sources. Pure: no database, no feed."""

from edge_assets.matching.fixtures import Fixture, FixtureMatch, MatchingResult, find_first_listed, match_fixtures
from edge_assets.matching.sides import Sides, are_sides_swapped, has_placeholder, swap_side, swap_sides
from edge_assets.reference.teams import canonical_name, team_key

__all__ = [
    "Fixture",
    "FixtureMatch",
    "MatchingResult",
    "Sides",
    "are_sides_swapped",
    "canonical_name",
    "find_first_listed",
    "has_placeholder",
    "match_fixtures",
    "swap_side",
    "swap_sides",
    "team_key",
]
