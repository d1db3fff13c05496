"""Fixtures of the feed; the servers are shared by all tests."""

from tests.support.replayed_feed import feed

__all__ = ["feed"]
