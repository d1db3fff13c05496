"""No later tick, start, result or weight changes earlier rows by a bit, built in steps or at once."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest

from edge_assets.reference.sources import Source
from edge_assets.store.analytics.book_weights import WeightEvidence, insert_weights
from edge_assets.store.postgres.database import connect
from tests.support.random_histories import EVENTS, Season

if TYPE_CHECKING:
    from tests.support.dbt_build import Warehouse

pytestmark = pytest.mark.untraced
Rows: TypeAlias = "dict[str, dict[tuple[Any, ...], dict[str, Any]]]"
"""By table and key."""
SEASONS, POLLS = 8, 7
KEYS = {
    "market_snapshots": ("event_id", "decision_point", "market", "outcome", "line_point", "book"),
    "event_features": ("event_id", "decision_point"),
}


def test_later_data_changes_no_earlier_rows(warehouse: Warehouse) -> None:
    """Many seasons in one warehouse, each a random scenario: a build takes as long for one as for all."""
    rng = np.random.default_rng(2025)
    scores, corrected = rng.integers(0, 4, (2, SEASONS, EVENTS, 2)).tolist()
    with closing(connect(warehouse.url, "test")) as conn:
        seasons = [Season(conn, number, rng) for number in range(SEASONS)]
        for season, score in zip(seasons, scores, strict=True):
            season.watch(POLLS)
            season.report(Source.ESPN, score)
        warehouse.build(*KEYS)
        before = load_rows(warehouse)
        for season, score, correction in zip(seasons, scores, corrected, strict=True):
            season.report(Source.ODDS_API, correction, season.now)
            insert_weights(conn, [(WeightEvidence(season.key, "pinnacle", 9, 0.0, 0.1), 5.0, 50.0)])
            season.watch(POLLS)
            season.report(Source.ESPN, score)
    warehouse.build(*KEYS)
    after = load_rows(warehouse)
    for table, rows in before.items():
        assert 100 < len(rows) < len(after[table]), table
        assert [name for name in next(iter(rows.values())) if all(row[name] is None for row in rows.values())] == []
    assert changed_rows(before, after) == []
    warehouse.build(*KEYS, full_refresh=True)
    again = load_rows(warehouse)
    assert changed_rows(after, again) == []
    assert {table: len(rows) for table, rows in again.items()} == {table: len(rows) for table, rows in after.items()}


def changed_rows(before: Rows, after: Rows) -> list[tuple[Any, ...]]:
    """The changed rows: table, key, and the columns that differ (all of them if the row is gone)."""
    return [
        (table, key, column, value, after[table].get(key, {}).get(column))
        for table, rows in before.items()
        for key, row in rows.items()
        for column, value in row.items()
        if after[table].get(key, {}).get(column, "gone") != value
    ]


def load_rows(warehouse: Warehouse) -> Rows:
    """Every row by its key, without the version of the pricing; floats are compared bit by bit."""
    return {
        table: {
            tuple(row[name] for name in key): {
                name: value.hex() if isinstance(value, float) else value
                for name, value in row.items()
                if name != "version"
            }
            for row in warehouse.rows(f"SELECT * FROM {table}")
        }
        for table, key in KEYS.items()
    }
