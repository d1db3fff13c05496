"""The warehouse built with its gate, repeatedly: a poisoned season next to a sound one, and decisions on it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.quality.gate import run_quality_gate
from edge_assets.store.analytics.findings import FindingScope, decide_finding, find_or_record_finding, load_findings
from edge_assets.store.analytics.reference_prices import load_reference_prices
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.sharp_reference import BettingPrice, run_sharp_backtest
from ml.market import DevigMethod
from ml.quotes import Market
from tests.support.invented_seasons import SeasonHarness, drop_cells, rotate_columns, season, shift_prices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.dbt_build import Warehouse
    from tests.support.invented_seasons import Row

pytestmark = pytest.mark.untraced
MARTS = {
    "market_snapshots": "event_id, decision_point, market, outcome, line_point, book",
    "closing_lines": "event_id, market, outcome, book",
    "event_features": "event_id, decision_point",
}
POISON = "poison.csv"


@pytest.fixture
def harness(warehouse: Warehouse, tmp_path: Path) -> Iterator[SeasonHarness]:
    """The warehouse's database, with a sound season and a later one, whose polls show the passing of time."""
    with closing(connect(warehouse.url, "test")) as conn:
        own = SeasonHarness(warehouse.url, conn, tmp_path)
        own.store(season()[:120], "sound.csv")
        own.store(season(2, 2025)[:60], "later.csv")
        yield own


def build(warehouse: Warehouse, harness: SeasonHarness) -> dict[str, list[dict[str, Any]]]:
    """Gate and build; every row of the marts, without the version of the pricing."""
    run_quality_gate(harness.conn)
    warehouse.build(*MARTS, "int_winners_settled")
    return {
        mart: [
            {name: value for name, value in row.items() if name != "version"}
            for row in warehouse.rows(f"SELECT * FROM {mart} ORDER BY {order}")
        ]
        for mart, order in MARTS.items()
    }


def of_season(built: dict[str, list[dict[str, Any]]], year: int) -> dict[str, list[dict[str, Any]]]:
    return {mart: [row for row in rows if row["season"] == year] for mart, rows in built.items()}


def figures(harness: SeasonHarness) -> dict[str, Any]:
    offer = BettingPrice("max", with_quarantined=True)
    prices = load_reference_prices(harness.conn, Market.H2H_3_WAY, "pinnacle", *offer)
    return run_sharp_backtest(prices, offer, Market.H2H_3_WAY, list(DevigMethod)).as_json()


@pytest.mark.parametrize("poison", [rotate_columns, shift_prices, drop_cells])
def test_the_rest_is_built_as_without_the_poison(
    warehouse: Warehouse, harness: SeasonHarness, poison: Callable[[list[Row]], list[Row]]
) -> None:
    before = build(warehouse, harness)
    harness.store(poison(season(1, 2024)), POISON)
    first, second = build(warehouse, harness), build(warehouse, harness)
    assert [f.season or f.file for f in load_findings(harness.conn)] == [
        2024 if poison is rotate_columns else str(harness.folder / POISON)
    ]
    assert of_season(first, 2023) == of_season(before, 2023), "the other season is unchanged, bit for bit"
    assert second == first, "nothing is admitted by the next build"
    reported = {row["book"] for row in first["market_snapshots"] if row["season"] == 2024}
    assert len(reported) == (5 if poison is rotate_columns else 0)
    assert "williamhill" not in reported


def test_decisions_change_only_their_scope(warehouse: Warehouse, harness: SeasonHarness) -> None:
    sound = build(warehouse, harness)
    alone = figures(harness)
    harness.store(rotate_columns(season(1, 2024)), POISON)
    held = build(warehouse, harness)
    [finding] = load_findings(harness.conn)
    decide_finding(harness.conn, finding.id, "accepted", "ada", "a test")
    accepted = build(warehouse, harness)
    assert load_findings(harness.conn) == [], "no other check overrules it"
    assert build(warehouse, harness) == accepted
    assert any(row["book"] == "williamhill" for row in of_season(accepted, 2024)["market_snapshots"])
    assert of_season(accepted, 2023) == of_season(sound, 2023)
    decide_finding(harness.conn, finding.id, "excluded", "ada", "a test")
    assert build(warehouse, harness) == held
    [number] = harness.rows(f"SELECT id FROM imports WHERE path LIKE '%{POISON}'")[0]
    decide_finding(
        harness.conn,
        find_or_record_finding(harness.conn, FindingScope(import_id=number), "ada", "-"),
        "withdrawn",
        "ada",
        "a test",
    )
    assert build(warehouse, harness) == sound, "as if it had never been imported"
    assert figures(harness) == alone
    harness.store(season(1, 2024), "right.csv")
    assert {row["season"] for row in build(warehouse, harness)["closing_lines"]} == {2023, 2024, 2025}
