"""`edge warehouse build`, and the reports on its tables."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from edge_assets.cli.building import STEP_DESCRIPTIONS
from edge_assets.store.analytics.build_lock import hold_build_lock
from edge_assets.store.postgres.database import connect
from tests.support.invented_seasons import SeasonHarness, season

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge

WAITERS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
pytestmark = pytest.mark.untraced


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dagster_dbt uses deprecated names of dagster
def test_what_was_imported_is_built_and_reported(edge: Edge, database_url: str, tmp_path: Path) -> None:
    with connect(database_url, "test") as conn:
        SeasonHarness(database_url, conn, tmp_path).store(season()[:60])
    before = edge("warehouse", "report", DATABASE_URL=database_url)
    assert before.returncode == 1
    assert "edge warehouse build" in before.stderr
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold_lock_until_awaited, database_url, started := Event())
        assert started.wait(30)
        built = edge("warehouse", "build", "--json", DATABASE_URL=database_url)
    assert built.returncode == 0, built.stderr
    assert "waiting for somebody else, running since" in built.stderr
    assert [line for line in built.stderr.splitlines() if line in STEP_DESCRIPTIONS.values()] == [
        STEP_DESCRIPTIONS[step]
        for step in ("gate", "warehouse_step", "prices", "warehouse_step", "pricing__book_weights")
    ]
    message = json.loads(built.stdout)
    assert (message["reason"], message["failed_checks"], message["held_out"]) == (None, [], [])
    assert message["tables_built"] > 20
    report = json.loads(edge("warehouse", "report", "--json", DATABASE_URL=database_url).stdout)
    assert report["events"][0]["played"] == 60
    one = json.loads(edge("warehouse", "report", "--json", "--book", "pinnacle", DATABASE_URL=database_url).stdout)
    assert {entry["book"] for entry in one["coverage"]} == {"pinnacle"} < {e["book"] for e in report["coverage"]}
    none = json.loads(edge("warehouse", "report", "--json", "--season", "1999", DATABASE_URL=database_url).stdout)
    assert (none["coverage"], none["events"]) == ([], [])
    for entry in report["coverage"]:
        missing = sum(part["percent"] for part in entry["missing"].values())
        assert entry["closed_percent"] + missing == pytest.approx(100, abs=0.1)
    odd = edge("warehouse", "table", "--reference", "pinacle", DATABASE_URL=database_url)
    assert odd.returncode == 1
    assert "unknown book 'pinacle': did you mean pinnacle" in odd.stderr


def hold_lock_until_awaited(database_url: str, started: Event) -> None:
    """Hold the build lock until another build waits for it."""
    with hold_build_lock(database_url, "somebody else", print), connect(database_url, "test") as conn:
        started.set()
        deadline = time.monotonic() + 60
        while conn.execute(WAITERS).fetchone() == (0,) and time.monotonic() < deadline:
            time.sleep(0.01)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # as above
def test_a_failed_build_is_explained_in_one_line(edge: Edge, database_url: str) -> None:
    with connect(database_url, "test") as conn:
        conn.execute("DROP TABLE quarantined_ticks CASCADE")

    built = edge("warehouse", "build", DATABASE_URL=database_url)

    assert built.returncode == 1
    first, *_ = [line for line in built.stderr.splitlines() if line.startswith("warehouse build failed")]
    assert "does not exist" in first
    assert "Traceback" not in built.stderr + built.stdout
