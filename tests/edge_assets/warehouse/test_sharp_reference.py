"""The sharp-reference backtest: in `tests/ml/market` from files, here from the database they were imported into."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from edge_assets.cli import app
from edge_assets.importers.importer import Importer
from edge_assets.quality.gate import run_quality_gate
from edge_assets.reference.sources import Source
from edge_assets.store.analytics.reference_prices import load_reference_prices
from edge_assets.store.postgres.database import connect
from edge_assets.warehouse.sharp_reference import BettingPrice, run_sharp_backtest
from ml.market import DevigMethod, devig, expected_value
from ml.quotes import Market
from tests.support.football_matches import read_matches

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.dbt_build import Warehouse

pytestmark = pytest.mark.untraced

DIVISIONS = ("1213/E0", "1819/SP1", "1920/E0", "2324/D1")


def test_bets_equal_those_from_the_files(
    warehouse: Warehouse, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for division in DIVISIONS:
        file = tmp_path / f"{division}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((data_dir / "football_data_uk" / f"{division}.csv").read_bytes())
    with Importer(warehouse.url, "test") as importer:
        importer.run(Source.FOOTBALL_DATA, [tmp_path])
    warehouse.build("closing_coverage", "int_winners_settled")
    with closing(connect(warehouse.url, "test")) as conn:
        prices = load_reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "max", with_quarantined=True)
        best = load_reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "best", with_quarantined=False)
        assert run_quality_gate(conn, recheck_all=True).quarantined > 0
        again = load_reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "max", with_quarantined=True)
        without = load_reference_prices(conn, Market.H2H_3_WAY, "pinnacle", "max", with_quarantined=False)
    for before, after in zip(prices, again, strict=True):
        np.testing.assert_array_equal(before, after)
    assert 0 < np.isnan(without.offered).sum() - np.isnan(prices.offered).sum() < 0.02 * prices.offered.size
    matches = read_matches(tmp_path)
    assert len(prices.won) == len(matches.result)
    fair = devig(matches.sharp, DevigMethod.POWER).probabilities
    expected = expected_value(fair, matches.best)
    profit = np.where(matches.result[:, None] == np.arange(3), matches.best, 0) - 1
    recorded, real = (
        run_sharp_backtest(each, BettingPrice(price, with_quarantined=True), Market.H2H_3_WAY, [DevigMethod.POWER])
        for each, price in ((prices, "max"), (best, "best"))
    )
    assert recorded.events == len(matches.result)
    for row in recorded.rows:
        chosen = expected > row.ev_above
        assert row.bets == chosen.sum() > 50
        assert row.claimed_ev == pytest.approx(expected[chosen].mean())
        assert row.profit_rate == pytest.approx(profit[chosen].mean())
        assert row.mean_clv is not None
    # the recorded maximum covers more books than are recorded individually
    assert real.rows[1].bets < recorded.rows[1].bets
    assert real.blind_rate is not None
    assert real.blind_rate < 0
    monkeypatch.setenv("DATABASE_URL", warehouse.url)
    report = json.loads(CliRunner().invoke(app, ["warehouse", "report", "--json"]).stdout)
    assert sum(season["played"] for season in report["events"]) == len(matches.result)
    assert report["phantoms"] == []
    for entry in report["coverage"]:
        parts = [reason["percent"] for reason in entry["missing"].values()]
        assert not parts or sum(parts) == pytest.approx(100)
        assert entry["closed"] + sum(reason["closes"] for reason in entry["missing"].values()) == entry["expected"]
