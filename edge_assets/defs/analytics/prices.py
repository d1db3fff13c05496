"""Fair prices, moves and ratings: the mathematics between the warehouse's intermediate models and its marts."""

from collections.abc import Iterator
from contextlib import closing

from dagster import AssetExecutionContext, AssetKey, AssetSpec, MaterializeResult, ResourceParam, multi_asset

from edge_assets.core.settings import Settings
from edge_assets.defs.analytics.build_lock import BuildLock
from edge_assets.defs.analytics.schedules import HOURLY_FRESHNESS
from edge_assets.defs.lineage import OWNERS
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.pricing_job import price_pending

PRICING_TABLES = {
    "priced_decisions": "The decision points that have been priced, with the pricing's version.",
    "priced_lines": "The consensus of each line at each decision point, computed as in the scorer.",
    "priced_quotes": "When each quote was last confirmed, and its book's own fair probability.",
    "book_moves": "Every change of a book's position in a market, in log-odds.",
    "movements": "Steam, drift and reversals, as detected by `ml.movement`.",
    "settlements": "How each match result settles, and since when that is known; contradicted results settle nothing.",
    "team_ratings": "Elo, form and home bias after each game, from the time its result was first known.",
}
"""`priced_polls` is the pricing's bookmark, not an asset."""


@multi_asset(
    name="prices",
    specs=[
        AssetSpec(
            ["pricing", table],
            deps=[AssetKey("int_decisions_due"), AssetKey("int_quotes_as_of"), AssetKey("int_polls_unpriced")],
            group_name="warehouse",
            description=description,
            owners=OWNERS,
            kinds={"postgres", "python", "numpy"},
            freshness_policy=HOURLY_FRESHNESS,
        )
        for table, description in PRICING_TABLES.items()
    ],
)
def prices(
    context: AssetExecutionContext, settings: ResourceParam[Settings], build_lock: ResourceParam[BuildLock]
) -> Iterator[MaterializeResult[None]]:
    """Price what is due after the intermediate models; all or nothing."""
    url = build_lock.database_url
    with closing(connect(url, "prices")) as conn, closing(connect(url, "prices reads")) as reader:
        counts = price_pending(conn, reader, settings.edge_book_weights)
    for key in context.selected_asset_keys:
        yield MaterializeResult(asset_key=key, metadata=counts)
