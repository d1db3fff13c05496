"""What teams are called: one name each, whatever a source calls them."""

from edge_assets.naming.teams import canonical, sides

__all__ = ["canonical", "sides"]
