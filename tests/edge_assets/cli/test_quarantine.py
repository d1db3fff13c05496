"""`edge quarantine`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge_assets.store.postgres.database import connect
from tests.support.invented_seasons import SeasonHarness, season

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge


def test_a_price_is_listed_shown_and_released(edge: Edge, database_url: str, tmp_path: Path) -> None:
    rows = season()
    rows[0] |= {"B365H": "5.5"}
    with connect(database_url, "test") as conn:
        harness = SeasonHarness(database_url, conn, tmp_path)
        harness.store(rows)
        harness.gate()
    listed = json.loads(edge("quarantine", "list", "--json", DATABASE_URL=database_url).stdout)
    [number] = [row["id"] for row in listed if row["book"] == "bet365"]
    for narrowed, n in ((("--book", "bet365", "--season", "2023"), 1), (("--sport", "soccer", "--season", "2022"), 0)):
        some = edge("quarantine", "list", "--json", *narrowed, DATABASE_URL=database_url).stdout
        assert len(json.loads(some)) == n, narrowed
    shown = edge("quarantine", "show", str(number), DATABASE_URL=database_url).stdout
    assert "5.5 where 5 other books" in shown
    assert "pinnacle" in shown
    released = edge("quarantine", "release", str(number), "--by", "ada", "--json", DATABASE_URL=database_url)
    assert json.loads(released.stdout)["released_by"] == "ada"
    again = edge("quarantine", "release", str(number), DATABASE_URL=database_url)
    assert again.returncode == 1
    assert f"{number} is not in quarantine" in again.stderr
