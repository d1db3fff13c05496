"""No later tick, start or result changes a bit of what was known before; built in steps or at once."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_assets.store.database import connect
from edge_assets.store.results import ResultSource
from tests.edge_assets.warehouse.stories import EVENTS, LOOKS, SCORES, Look, Season

if TYPE_CHECKING:
    from tests.edge_assets.warehouse.building import Warehouse

TABLES = {
    "market_snapshots": "event_id, moment, market, outcome, line_point, book",
    "features": "event_id, moment",
}


@given(
    earlier=st.lists(LOOKS, min_size=6, max_size=8),
    later=st.lists(LOOKS, min_size=6, max_size=8),
    scores=st.lists(SCORES, min_size=EVENTS, max_size=EVENTS),
    corrected=st.lists(SCORES, min_size=EVENTS, max_size=EVENTS),
)
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_comes_later_changes_nothing_before(
    warehouse: Warehouse,
    earlier: list[Look],
    later: list[Look],
    scores: list[tuple[int, int]],
    corrected: list[tuple[int, int]],
) -> None:
    with closing(connect(warehouse.url, "test")) as conn:
        season = Season(conn)
        for look in earlier:
            season.see(look)
        season.report(ResultSource.ESPN, scores)
        warehouse.build(*TABLES)
        before = known(warehouse)
        for look in later:
            season.see(look)
        season.report(ResultSource.ESPN, scores)
        season.report(ResultSource.ODDS_API, corrected, season.now + timedelta(hours=1))
    warehouse.build(*TABLES)
    after = known(warehouse)
    assert before["market_snapshots"]
    for table, rows in before.items():
        assert rows.items() <= after[table].items(), table
        assert len(rows) < len(after[table]), table
    warehouse.build(*TABLES, full_refresh=True)
    assert known(warehouse) == after


def known(warehouse: Warehouse) -> dict[str, dict[tuple[Any, ...], dict[str, Any]]]:
    """Every row by its key, without the number of the pricing; floats as they are, bit by bit."""
    return {
        table: {
            tuple(row[name] for name in key.split(", ")): {
                name: value.hex() if isinstance(value, float) else value
                for name, value in row.items()
                if name != "version"
            }
            for row in warehouse.rows(f"SELECT * FROM {table}")
        }
        for table, key in TABLES.items()
    }
