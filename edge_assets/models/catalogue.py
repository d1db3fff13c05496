"""The trained models of a home."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ml.models.bundle import SPEC_FILE, BundleError, BundleSpec, load_bundle

if TYPE_CHECKING:
    from pathlib import Path


class CataloguedModel(NamedTuple):
    """A model's directory; `spec` is None if it cannot be loaded, and `problem` states why."""

    name: str
    path: Path
    spec: BundleSpec | None
    problem: str | None


def list_models(directory: Path) -> list[CataloguedModel]:
    """All models below `directory`, by name; every one is loaded, so that a damaged one is named."""
    return [_load_model(path) for path in sorted(directory.glob("*")) if path.is_dir()]


def _load_model(path: Path) -> CataloguedModel:
    if not (path / SPEC_FILE).exists():
        problem = f"{path} has no {SPEC_FILE}: its training did not finish; train the model again"
        return CataloguedModel(path.name, path, None, problem)
    try:
        return CataloguedModel(path.name, path, load_bundle(path).spec, None)
    except BundleError as error:
        return CataloguedModel(path.name, path, None, str(error))
