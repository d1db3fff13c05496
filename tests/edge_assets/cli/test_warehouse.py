"""`edge warehouse build` and what can be asked afterwards, as a person uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge_assets.store.database import connect
from tests.edge_assets.quality.seasons import Desk, season

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_assets.cli.command import Edge

pytestmark = pytest.mark.untraced


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # dagster_dbt uses dagster's old names
def test_what_was_imported_is_built_and_reported(edge: Edge, database_url: str, tmp_path: Path) -> None:
    with connect(database_url, "test") as conn:
        Desk(database_url, conn, tmp_path).store(season()[:60])
    before = edge("warehouse", "report", DATABASE_URL=database_url)
    assert before.returncode == 1
    assert "edge warehouse build" in before.stderr
    built = edge("warehouse", "build", DATABASE_URL=database_url)
    assert built.returncode == 0, built.stderr
    report = json.loads(edge("warehouse", "report", "--json", DATABASE_URL=database_url).stdout)
    assert report["events"][0]["played"] == 60
    for entry in report["coverage"]:
        missing = sum(part["percent"] for part in entry["missing"].values())
        assert entry["closed_percent"] + missing == pytest.approx(100, abs=0.1)
    odd = edge("warehouse", "table", "--reference", "pinacle", DATABASE_URL=database_url)
    assert odd.returncode == 1
    assert "there is no book 'pinacle': did you mean pinnacle" in odd.stderr
