"""Everything real."""

from tests.edge_assets.ingestion.services import database, feed, postgres, redis_url, template, valkey

__all__ = ["database", "feed", "postgres", "redis_url", "template", "valkey"]
