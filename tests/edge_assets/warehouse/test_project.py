"""Rules of the dbt project that dbt itself does not check, read from its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from edge_assets.warehouse.dbt_runner import PROJECT_DIR
from ml.quotes import MARKET_OUTCOMES, Outcome

if TYPE_CHECKING:
    from pathlib import Path

MODELS_DIR = PROJECT_DIR / "models"
LITERAL_ID = re.compile(r"(?:market|outcome|towards)_id (?:=|<>|in \() ?\d")


@pytest.fixture(scope="module")
def models() -> dict[str, Path]:
    return {path.stem: path for path in MODELS_DIR.rglob("*.sql")}


@pytest.fixture(scope="module")
def models_yaml() -> dict[str, tuple[Path, dict[str, Any]]]:
    """Each model's YAML entry, with the folder of its file."""
    files = {path: yaml.safe_load(path.read_text()) for path in MODELS_DIR.rglob("_*__models.yml")}
    return {model["name"]: (path.parent, model) for path, content in files.items() for model in content["models"]}


def test_ids_are_those_of_the_enums() -> None:
    variables = yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text())["vars"]
    assert variables["market_ids"] == {market.key: int(market) for market in MARKET_OUTCOMES}
    assert variables["outcome_ids"] == {outcome.key: int(outcome) for outcome in Outcome}


def test_ids_are_written_by_macro(models: dict[str, Path]) -> None:
    files = [*models.values(), *(PROJECT_DIR / "macros").rglob("*.sql")]
    assert [path.name for path in files if LITERAL_ID.search(path.read_text())] == []


def test_first_stage_models_never_read_marts(models: dict[str, Path]) -> None:
    def layer(name: str) -> str:
        return models[name].relative_to(MODELS_DIR).parts[0]

    reads = {
        (name, parent)
        for name, path in models.items()
        if layer(name) in {"staging", "intermediate"}
        for parent in re.findall(r"ref\('(\w+)'\)", path.read_text())
    }
    assert [(name, parent) for name, parent in sorted(reads) if layer(parent) == "marts"] == []


def test_models_are_declared_in_their_own_folder(
    models: dict[str, Path], models_yaml: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    misplaced = [name for name, (folder, _) in models_yaml.items() if models[name].parent != folder]
    undeclared = [name for name, path in models.items() if path.parts[-2] != "staging" and name not in models_yaml]
    assert (misplaced, undeclared) == ([], [])


def test_every_mart_and_incremental_model_has_a_tested_key(
    models: dict[str, Path], models_yaml: dict[str, tuple[Path, dict[str, Any]]]
) -> None:
    def has_key(model: dict[str, Any]) -> bool:
        tests = [*model.get("data_tests", ()), *(t for c in model.get("columns", ()) for t in c.get("data_tests", ()))]
        return "unique" in tests or any("unique_key" in test for test in tests if isinstance(test, dict))

    needed = [
        name
        for name, path in models.items()
        if not name.startswith(("int_", "stg_")) or "materialized='incremental'" in path.read_text()
    ]
    assert [name for name in needed if not has_key(models_yaml[name][1])] == []


def test_singular_tests_belong_to_one_asset() -> None:
    """Dagster shows a test of several models as a check only if its `meta` names the model."""
    for path in (PROJECT_DIR / "tests").glob("*.sql"):
        text = path.read_text()
        assert len(set(re.findall(r"ref\('(\w+)'\)", text))) == 1 or '"dagster": {"ref"' in text, path.name
