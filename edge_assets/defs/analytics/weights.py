"""Measured consensus weights, published for the scorer and the next pricing."""

from contextlib import closing

from dagster import AssetKey, MaterializeResult, MetadataValue, ResourceParam, TableRecord, asset

from edge_assets.defs.analytics.build_lock import BuildLock
from edge_assets.defs.analytics.schedules import NIGHTLY_FRESHNESS
from edge_assets.defs.lineage import OWNERS
from edge_assets.store.analytics.book_weights import load_last_weights
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.weights import publish_weights


@asset(
    key=["pricing", "book_weights"],
    deps=[AssetKey("book_quality")],  # the next pricing reads it, but as lineage that would be a cycle
    group_name="warehouse",
    owners=OWNERS,
    kinds={"postgres", "python", "numpy"},
    freshness_policy=NIGHTLY_FRESHNESS,
)
def book_weights(build_lock: ResourceParam[BuildLock]) -> MaterializeResult[None]:
    """Consensus weights: measured by `book_quality`, shrunk towards `books.toml`, valid from the next day."""
    with closing(connect(build_lock.database_url, "weights")) as conn:
        changed = publish_weights(conn)
        rows = [
            TableRecord({"sport": w.sport, "book": w.book, "weight": w.weight, "prior": w.prior, "games": w.games})
            for w in load_last_weights(conn)
        ]
    table = {"weights": MetadataValue.table(rows)} if rows else {}
    return MaterializeResult(metadata={"sports moved": changed, **table})
