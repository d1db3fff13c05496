"""The sharp-reference table: from files in `tests/ml/market`, here from the database that they were imported to."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_assets.importing.formats import FormatName
from edge_assets.importing.importer import Importer
from edge_assets.store.database import connect
from edge_assets.store.reference_prices import reference_prices
from edge_assets.warehouse.sharp_table import blind_rate, sharp_table
from ml.market import DevigMethod, devig, expected_value
from ml.quotes import Market
from tests.ml.market.football_data import read_matches

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_assets.warehouse.building import Warehouse

DIVISIONS = ("1213/E0", "1819/SP1", "1920/E0", "2324/D1")


def test_bets_are_those_of_the_files(warehouse: Warehouse, data_dir: Path, tmp_path: Path) -> None:
    for division in DIVISIONS:
        file = tmp_path / f"{division}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((data_dir / "football_data_uk" / f"{division}.csv").read_bytes())
    with Importer(warehouse.url, "test") as importer:
        importer.run(FormatName.FOOTBALL_DATA, [tmp_path])
    warehouse.build("closing_coverage", "int_winners_settled")
    with closing(connect(warehouse.url, "test")) as conn:
        prices = reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "max", with_quarantined=True)
        best = reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "best", with_quarantined=False)
    matches = read_matches(tmp_path)
    assert len(prices.won) == len(matches.result)
    fair = devig(matches.sharp, DevigMethod.POWER).probabilities
    expected = expected_value(fair, matches.best)
    profit = np.where(matches.result[:, None] == np.arange(3), matches.best, 0) - 1
    for row in sharp_table(prices, [DevigMethod.POWER]):
        chosen = expected > row.ev_above
        assert row.bets == chosen.sum() > 50
        assert row.claimed_ev == pytest.approx(expected[chosen].mean())
        assert row.profit_rate == pytest.approx(profit[chosen].mean())
        assert row.mean_clv is not None
    # the recorded maximum is over more books than are recorded one by one
    assert sharp_table(best, [DevigMethod.POWER])[1].bets < sharp_table(prices, [DevigMethod.POWER])[1].bets
    blind = blind_rate(best)
    assert blind is not None
    assert blind < 0
    for entry in warehouse.rows(
        "SELECT sum(percent_of_missing) AS s FROM closing_coverage GROUP BY sport, season, book"
    ):
        assert entry["s"] is None or round(entry["s"], 6) == 100
