"""The warehouse built with its gate, twice and thrice: a poisoned season beside a sound one, and decisions on it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.quality.gate import pass_gate
from edge_assets.store.database import connect
from edge_assets.store.findings import Scope, decide, findings, record_wish
from edge_assets.store.reference_prices import reference_prices
from edge_assets.warehouse.sharp_table import Offer, sharp_table
from ml.market import DevigMethod
from ml.quotes import Market
from tests.edge_assets.quality.seasons import Desk, ragged, rotated, season, shifted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.edge_assets.quality.seasons import Row
    from tests.edge_assets.warehouse.building import Warehouse

pytestmark = pytest.mark.untraced
MARTS = {
    "market_snapshots": "event_id, moment, market, outcome, line_point, book",
    "closing_lines": "event_id, market, outcome, book",
    "features": "event_id, moment",
}
POISON = "poison.csv"


@pytest.fixture
def desk(warehouse: Warehouse, tmp_path: Path) -> Iterator[Desk]:
    """The warehouse's database, with a sound season, and a later one: looks tell how much time has passed."""
    with closing(connect(warehouse.url, "test")) as conn:
        own = Desk(warehouse.url, conn, tmp_path)
        own.store(season()[:120], "sound.csv")
        own.store(season(2, 2025)[:60], "later.csv")
        yield own


def build(warehouse: Warehouse, desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """Gate and build; every row of the marts, without the number of the pricing."""
    pass_gate(desk.conn)
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


def figures(desk: Desk) -> dict[str, Any]:
    offer = Offer("max", with_quarantined=True)
    prices = reference_prices(desk.conn, Market.H2H_3_WAY, "pinnacle", *offer)
    return sharp_table(prices, offer, list(DevigMethod)).facts()


@pytest.mark.parametrize("poison", [rotated, shifted, ragged])
def test_everything_beside_the_poison_is_built_as_without_it(
    warehouse: Warehouse, desk: Desk, poison: Callable[[list[Row]], list[Row]]
) -> None:
    before = build(warehouse, desk)
    desk.store(poison(season(1, 2024)), POISON)
    first, second = build(warehouse, desk), build(warehouse, desk)
    assert [f.season or f.file for f in findings(desk.conn)] == [
        2024 if poison is rotated else str(desk.folder / POISON)
    ]
    assert of_season(first, 2023) == of_season(before, 2023), "of another season nothing has changed, to the bit"
    assert second == first, "and nothing comes in with the next build"
    told = {row["book"] for row in first["market_snapshots"] if row["season"] == 2024}
    assert len(told) == (5 if poison is rotated else 0)
    assert "williamhill" not in told


def test_decisions_change_what_they_are_about_and_nothing_else(warehouse: Warehouse, desk: Desk) -> None:
    sound = build(warehouse, desk)
    alone = figures(desk)
    desk.store(rotated(season(1, 2024)), POISON)
    held = build(warehouse, desk)
    [finding] = findings(desk.conn)
    decide(desk.conn, finding.id, "accepted", "ada", "a test")
    accepted = build(warehouse, desk)
    assert findings(desk.conn) == [], "and no other check overrules it"
    assert build(warehouse, desk) == accepted
    assert any(row["book"] == "williamhill" for row in of_season(accepted, 2024)["market_snapshots"])
    assert of_season(accepted, 2023) == of_season(sound, 2023)
    decide(desk.conn, finding.id, "excluded", "ada", "a test")
    assert build(warehouse, desk) == held
    [number] = desk.rows(f"SELECT id FROM imports WHERE path LIKE '%{POISON}'")[0]
    decide(desk.conn, record_wish(desk.conn, Scope(import_id=number), "ada", "-"), "withdrawn", "ada", "a test")
    assert build(warehouse, desk) == sound, "as if it had never been"
    assert figures(desk) == alone
    desk.store(season(1, 2024), "right.csv")
    assert {row["season"] for row in build(warehouse, desk)["closing_lines"]} == {2023, 2024, 2025}
