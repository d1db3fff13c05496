"""Asset keys and specs: what is collected, where it comes from and what is made of it elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dagster import AssetKey, AssetSpec, FreshnessPolicy

from edge_assets.reference.sources import IMPORT_SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

OWNERS = ["team:edge-finder"]
FEED = AssetKey("odds_feed")
SCOREBOARDS = AssetKey("espn_scoreboards")
CHANGES = AssetKey("odds_changes")
ALERTS = AssetKey("alerts")
IMPORT_ASSETS = {source.value: AssetKey(["history", source.replace("-", "_")]) for source in IMPORT_SOURCES}
"""The imports of the other code location, by format."""
STORE_TABLES = (
    "aggregate_ticks",
    "books",
    "event_results",
    "event_starts",
    "events",
    "markets",
    "odds_ticks",
    "outcomes",
    "polls",
    "public_bets",
    "result_decisions",
    "sports",
)
"""Tables that bursts and imports write, and the warehouse reads in the other code location."""


DAILY_FRESHNESS = FreshnessPolicy.time_window(warn_window=timedelta(hours=6), fail_window=timedelta(days=1))
"""For a sport's odds. Far from any start a sport is polled every few hours, and less often when credits run out."""


def odds_key(sport: str) -> AssetKey:
    """The asset with a sport's odds."""
    return AssetKey(["odds", sport])


def sport_of(key: AssetKey) -> str:
    """The sport whose odds an asset holds."""
    return key.path[-1]


def table_key(table: str) -> AssetKey:
    """The asset for a table of the store."""
    return AssetKey(["edge", table])


QUARANTINE = table_key("quarantined_ticks")
"""The gate that ticks pass on their way into the warehouse."""


def odds_specs(sports: Sequence[str]) -> list[AssetSpec]:
    """One asset per sport; skippable, because a burst may end before a sport's first response."""
    return [
        AssetSpec(
            odds_key(sport),
            deps=[FEED],
            group_name="ingest",
            description=f"Ticks, polls and archived payloads of `{sport}`: changes, and when it was seen.",
            owners=OWNERS,
            kinds={"postgres", "python"},
            skippable=True,
            freshness_policy=DAILY_FRESHNESS,
        )
        for sport in sports
    ]


def external_specs(sports: Sequence[str]) -> list[AssetSpec]:
    """Assets upstream and downstream of the odds that other processes make."""
    odds = [odds_key(sport) for sport in sports]
    return [
        AssetSpec(
            FEED,
            group_name="ingest",
            description="The Odds API, or the replay or simulation that implements its API.",
            owners=OWNERS,
            kinds={"api"},
        ),
        AssetSpec(
            SCOREBOARDS,
            group_name="ingest",
            description="ESPN's scoreboards: results if The Odds API's are late, unavailable or unclear.",
            owners=OWNERS,
            kinds={"api"},
        ),
        AssetSpec(
            CHANGES,
            deps=odds,
            group_name="realtime",
            description="Redis stream `odds:changes`: one entry per poll, published from the outbox by the burst.",
            owners=OWNERS,
            kinds={"redis"},
        ),
        AssetSpec(
            ALERTS,
            deps=[CHANGES],
            group_name="realtime",
            description="Table and Redis stream `alerts`: opened, updated and closed by the scorer.",
            owners=OWNERS,
            kinds={"redis", "postgres", "python"},
        ),
        *(
            AssetSpec(
                table_key(table),
                deps=[*odds, *IMPORT_ASSETS.values()],
                group_name="store",
                description=f"Table `{table}`, written by every burst and every import.",
                owners=OWNERS,
                kinds={"postgres"},
            )
            for table in STORE_TABLES
        ),
    ]
