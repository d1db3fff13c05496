"""Fixtures of the feed; the servers are those of all tests."""

from tests.edge_assets.ingestion.services import feed

__all__ = ["feed"]
