"""`edge models`: what has been trained, and what cannot be used. Scores are tested in `tests/edge_assets/models`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_assets.cli.training_reports import save_report
from edge_assets.local.home import Home
from ml.models.bundle import RIDGE_FILE, Bundle, BundleSpec, FeatureSpec, save_bundle
from ml.training.fitting import BOOSTING, fit_fair_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.edge_command import Edge

MODEL, DAMAGED = "soccer-h2h-reference", "soccer-totals-reference"
SCORES = {
    "log_loss": 0.69, "share": 0.1, "closing_gain": [30.0, 12.0, 48.0], "result_gain": [5.0, None, None]
}  # fmt: skip
REPORT: dict[str, Any] = {
    "sport": "soccer", "games": 600, "until": "2022-07-01", "test_until": None, "pooled": {},
    "skipped": {"soccer-spreads-reference": "12 lines"},
    "models": {MODEL: {"lines": {"training": 500, "test": 100}, "test": {"models": {"ensemble": SCORES}}}},
}  # fmt: skip


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A home's models: a sound one and a damaged one."""
    directory = Home.open(tmp_path / "home").models
    rng = np.random.default_rng(0)
    features, market = rng.normal(size=(200, 2, 1)).astype(np.float32), rng.dirichlet([5, 5], 200)
    model = fit_fair_model(features, market, market, {**BOOSTING, "rounds": 3})
    declared = (FeatureSpec("move", "log-odds", "quoted", "no earlier game"),)
    for name in (MODEL, DAMAGED):
        spec = BundleSpec(name, "soccer", "h2h", "reference", "pinnacle", 2, declared, "2012", "2022", 500, "f", {})
        save_bundle(directory / name, Bundle(spec, model, None))
    (directory / DAMAGED / RIDGE_FILE).write_bytes(b"")
    save_report(directory, "soccer", REPORT)
    return directory


def test_models_are_listed_shown_and_compared(edge: Edge, models: Path) -> None:
    home = str(models.parent)
    sound, damaged = json.loads(edge("models", "list", "--json", EDGE_HOME=home).stdout)
    assert (sound["name"], sound["problem"], sound["spec"]["lines"]) == (MODEL, None, 500)
    assert damaged["spec"] is None
    assert RIDGE_FILE in damaged["problem"]
    shown = edge("models", "show", MODEL, EDGE_HOME=home).stdout
    assert all(word in shown for word in ("move", "no earlier game", "10.0%", "30.0 [12.0, 48.0]"))
    assert json.loads(edge("models", "compare", "--json", EDGE_HOME=home).stdout) == {"soccer": REPORT}
    assert "not trained: 12 lines" in edge("models", "compare", "--sport", "soccer", EDGE_HOME=home).stdout


@pytest.mark.parametrize(
    ("args", "problem", "remedy"),
    [
        (["show", "nosuch"], "unknown model 'nosuch'", MODEL),
        (["compare", "--sport", "nba"], "no training of 'nba'", "there are trainings of: soccer"),
    ],
)
def test_problems_are_reported(edge: Edge, models: Path, args: list[str], problem: str, remedy: str) -> None:
    done = edge("models", *args, EDGE_HOME=str(models.parent))
    assert done.returncode == 1
    assert problem in done.stderr
    assert remedy in done.stderr


def test_a_damaged_report_is_named(edge: Edge, models: Path) -> None:
    (models / "soccer.report.json").write_text("{}")
    done = edge("models", "compare", EDGE_HOME=str(models.parent))
    assert "soccer.report.json is damaged" in done.stderr
    assert "train again" in done.stderr
    assert "Traceback" not in done.stderr
