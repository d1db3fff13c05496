"""From imported files to bundles: what the close knows and the opening price does not is found, and nothing else is."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.core.clock import to_micros
from edge_assets.importers.importer import Importer
from edge_assets.models import training
from edge_assets.models.training import Recipe, TrainingPeriod, save_models, train_group
from edge_assets.models.training_data import GroupData, load_group
from edge_assets.reference.sources import Source
from edge_assets.store.postgres.database import connect
from ml.features.prices import Base
from ml.models.bundle import load_bundle
from ml.quotes import Market
from ml.training.fitting import BOOSTING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers.postgres import PostgresServer

MATCHES, TEAMS = 1_500, 20
FIRST = date(2019, 8, 3)
QUICK = Recipe({**BOOSTING, "rounds": 40, "max_depth": 3})
UNTIL = 1_200
SELLERS = {"PS": 1.025, "B365": 1.05, "Avg": 1.05, "Max": 1.01}


def write_matches(path: Path, seed: int = 0) -> None:
    """Matches of teams whose true strength the close knows; opening prices believe older strengths, so lines move."""
    rng = np.random.default_rng(seed)
    true, believed = rng.normal(0, 0.5, TEAMS), np.zeros(TEAMS)
    rows = []
    for number in range(MATCHES):
        if number % 10 == 0:
            pairing = rng.permutation(TEAMS).reshape(-1, 2)
            true = 0.98 * true + rng.normal(0, 0.08, TEAMS)
            believed += 0.15 * (true - believed)
        home, away = pairing[number % 10]
        chances = [_chances(strength[home] - strength[away]) for strength in (believed, true)]
        goals = rng.poisson(np.exp(0.2 + np.array([0.15, -0.15]) + (true[home] - true[away]) / 2 * np.array([1, -1])))
        day = FIRST + timedelta(days=number // 10 * 7)
        rows.append(_row(day, home, away, goals, *chances))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _chances(lead: float) -> Any:
    weight = np.exp([0.25 + lead, -0.1, -lead])
    return weight / weight.sum()


def _row(day: date, home: int, away: int, goals: Any, opening: Any, closing: Any) -> dict[str, str]:
    result = "DHA"[int(goals[0] > goals[1]) - int(goals[0] < goals[1])]
    row = {"Div": "E0", "Date": f"{day:%d/%m/%Y}", "Time": "15:00", "HomeTeam": f"Town {home}"}
    row |= {"AwayTeam": f"Town {away}", "FTHG": str(goals[0]), "FTAG": str(goals[1]), "FTR": result}
    for seller, margin in SELLERS.items():
        for infix, fair in (("", opening), ("C", closing)):
            for outcome, chance in zip("HDA", fair, strict=True):
                row[f"{seller}{infix}{outcome}"] = f"{1 / (chance * margin):.2f}"
    return row


@pytest.fixture(scope="module")
def group(
    postgres_server: PostgresServer, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> GroupData:
    file = tmp_path_factory.mktemp("files") / "E0.csv"
    write_matches(file)
    with postgres_server.clone_of(migrated_template) as url:
        with Importer(url) as importer:
            importer.run(Source.FOOTBALL_DATA, [file])
        with connect(url, "test") as conn:
            return load_group(conn, "soccer")


def start_of(number: int) -> int:
    day = FIRST + timedelta(days=number // 10 * 7)
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))


def test_training_sets_hold_the_prices_and_results_of_the_file(group: GroupData) -> None:
    assert group.games == MATCHES
    assert {market for market, _ in group.sets} == {Market.H2H_3_WAY}
    lines = group.sets[Market.H2H_3_WAY, Base.REFERENCE]
    assert len(lines) == MATCHES
    np.testing.assert_allclose(lines.market.sum(axis=1), 1)
    assert (lines.won.sum(axis=1) == 1).all()
    assert ((lines.start - lines.decided_at) / 3.6e9 == 22).all(), "a Saturday's prices at 15:00 are of Friday, 17:00"


def test_a_model_finds_how_lines_will_move_and_is_written(
    group: GroupData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "MIN_TRAINING_LINES", 1_000)
    report = train_group(group, TrainingPeriod(start_of(UNTIL), None), QUICK)
    figures = report.figures["models"]["soccer-h2h_3_way-reference"]
    scores = figures["test"]["models"]
    assert scores["market"]["share"] == 0
    assert scores["close"]["share"] == 1
    assert scores["ensemble"]["share"] > 0.2, "the beliefs of the opening price lag behind in a way that can be learned"
    assert scores["ensemble"]["closing_gain"][1] > 0
    bets = report.figures["pooled"]["bets"]
    assert bets["model_same_number"]["bets"] == bets["market_rule"]["bets"]
    [path] = [path for name, path in save_models(report, tmp_path).items() if name.endswith("reference")]
    model = report.models[Market.H2H_3_WAY, Base.REFERENCE]
    again = load_bundle(tmp_path / path)
    test = model.test.table.select(again.spec.feature_names)
    np.testing.assert_array_equal(again.predict(test.values, model.test.market), model.predicted)


def test_too_few_games_are_said_to_be_too_few(group: GroupData) -> None:
    report = train_group(group, TrainingPeriod(start_of(300), None), QUICK)
    assert not report.models
    [why] = {*report.skipped.values()}
    assert "2,000 are needed" in why
