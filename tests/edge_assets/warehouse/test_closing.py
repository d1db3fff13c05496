"""Closing lines built in steps equal those built at once, and only what changed is rebuilt.

The model's unit tests cover what the incremental branch selects; this also covers what its hook deletes.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.reference.sources import Source
from edge_assets.store.postgres.database import connect
from tests.support.random_histories import EVENTS, Season

if TYPE_CHECKING:
    from tests.support.dbt_build import Warehouse

pytestmark = pytest.mark.untraced

POLLS = 9


def test_only_the_closes_of_changed_events_are_rebuilt(warehouse: Warehouse) -> None:
    rng = np.random.default_rng(7)
    scores = rng.integers(0, 4, (EVENTS, 2)).tolist()
    with closing(connect(warehouse.url, "test")) as conn:
        still, lively = (Season(conn, number, rng) for number in range(2))
        for season in (still, lively):
            season.watch(POLLS)
        warehouse.build("closing_lines")
        first = transactions_by_sport(warehouse)
        lively.watch(POLLS)
        lively.report(Source.ESPN, scores)
    warehouse.build("closing_lines")
    second = transactions_by_sport(warehouse)
    assert second[still.key] == first[still.key]
    assert second[lively.key] != first[lively.key]
    stepwise = content(warehouse)
    warehouse.build("closing_lines", full_refresh=True)
    assert stepwise == content(warehouse)


def transactions_by_sport(warehouse: Warehouse) -> dict[str, list[Any]]:
    """By sport: which transaction wrote how many closes of each event."""
    counts = "SELECT sport, event_id, xmin::text AS by, count(*) AS n FROM closing_lines GROUP BY 1, 2, 3 ORDER BY 2, 3"
    found: dict[str, list[Any]] = defaultdict(list)
    for row in warehouse.rows(counts):
        found[row.pop("sport")].append(row)
    return found


def content(warehouse: Warehouse) -> list[str]:
    """Every close without the version of its pricing; duplicates count twice."""
    return sorted(
        repr({name: value for name, value in row.items() if name != "version"})
        for row in warehouse.rows("SELECT * FROM closing_lines")
    )
