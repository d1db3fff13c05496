"""What the books are found to count, published for the scorer and the next pricing."""

from contextlib import closing

from dagster import AssetKey, MaterializeResult, MetadataValue, ResourceParam, TableRecord, asset

from edge_assets.defs.analytics.rhythm import NIGHTLY
from edge_assets.defs.analytics.turn import BuildTurn
from edge_assets.defs.lineage import OWNERS
from edge_assets.store.database import connect
from edge_assets.store.weights import last_weights
from edge_assets.warehouse.weights import publish_weights


@asset(
    key=["pricing", "book_weights"],
    deps=[AssetKey("book_quality")],  # that the next pricing reads it is no lineage: it would go in a circle
    group_name="warehouse",
    owners=OWNERS,
    kinds={"postgres", "python", "numpy"},
    freshness_policy=NIGHTLY,
)
def book_weights(turn: ResourceParam[BuildTurn]) -> MaterializeResult[None]:
    """What books count in the consensus: measured by `book_quality`, shrunk to `books.toml`, from the next day on."""
    with closing(connect(turn.database_url, "weights")) as conn:
        moved = publish_weights(conn)
        shown = [
            TableRecord({"sport": w.sport, "book": w.book, "weight": w.weight, "prior": w.prior, "games": w.games})
            for w in last_weights(conn)
        ]
    table = {"weights": MetadataValue.table(shown)} if shown else {}
    return MaterializeResult(metadata={"sports moved": moved, **table})
