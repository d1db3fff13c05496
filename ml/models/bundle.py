"""A fair model as a directory: loaded without a registry and without anything that training needs.

`spec.json` describes it, `ridge.npz` and `xgboost.ubj` are its members, `conformal.npz` its intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import msgspec
import numpy as np

from ml.models.conformal import Conformal
from ml.models.fair_model import Boosted, Corrector, FairModel, Platt, Ridge

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Values = NDArray[np.float32]

FORMAT = 1
SPEC_FILE, RIDGE_FILE, XGBOOST_FILE, CONFORMAL_FILE = "spec.json", "ridge.npz", "xgboost.ubj", "conformal.npz"
RIDGE_ARRAYS = ("mean", "scale", "coefficient", "intercept")


class BundleError(ValueError):
    """A bundle cannot be used; the message names the file and what is wrong with it."""


class FeatureSpec(msgspec.Struct, frozen=True):
    """A feature as `ml.features.registry.Feature` declares it."""

    name: str
    unit: str
    known_at: str
    missing: str


class BundleSpec(msgspec.Struct, frozen=True):
    """What a bundle is.

    `market` and `base` are keys (`h2h_3_way`; `reference` or `average`), `outcomes` their number; `trained_from` and
    `trained_until` ISO times of the first and last start learned from, `lines` their number; `fingerprint` the SHA-256
    of what was learned from. `calibration` is intercept and slope of `Platt`, if the model has one.
    """

    name: str
    group: str
    market: str
    base: str
    reference: str
    outcomes: int
    features: tuple[FeatureSpec, ...]
    trained_from: str
    trained_until: str
    lines: int
    fingerprint: str
    versions: dict[str, str]
    calibration: tuple[float, float] | None = None
    format: int = FORMAT

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features in the order in which the model takes them."""
        return tuple(feature.name for feature in self.features)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A model with what it is and its intervals, if it has any."""

    spec: BundleSpec
    model: FairModel
    conformal: Conformal | None

    def predict(self, features: Values, market: Array) -> Array:
        """Probabilities (N, n) that sum to one, of `features` (N, n, F) in the spec's order and the market's (N, n)."""
        return self.model.predict(features, market)


def save_bundle(directory: Path, bundle: Bundle) -> None:
    """Write a bundle; `spec.json` comes last, so that a directory with one is complete."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / SPEC_FILE).unlink(missing_ok=True)
    for member in bundle.model.members.values():
        match member:
            case Ridge():
                arrays = {name: getattr(member, name) for name in RIDGE_ARRAYS}
                np.savez(directory / RIDGE_FILE, allow_pickle=False, **arrays)
            case Boosted():
                member.booster.save_model(directory / XGBOOST_FILE)
    if bundle.conformal is not None:
        np.savez(directory / CONFORMAL_FILE, allow_pickle=False, **bundle.conformal._asdict())
    (directory / SPEC_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(bundle.spec)))


def load_bundle(directory: Path) -> Bundle:
    """Read a bundle. Raises `BundleError` if a file is missing, damaged or does not fit the others."""
    spec = _load_spec(directory / SPEC_FILE)
    shape = spec.outcomes, len(spec.features)
    members: dict[str, Corrector] = {
        "ridge": _load_ridge(directory / RIDGE_FILE, shape),
        "xgboost": _load_xgboost(directory / XGBOOST_FILE, shape[1]),
    }
    path = directory / CONFORMAL_FILE
    conformal = Conformal(**_load_arrays(path, Conformal._fields)) if path.exists() else None
    calibration = None if spec.calibration is None else Platt(*spec.calibration)
    return Bundle(spec, FairModel(members, calibration), conformal)


def _load_spec(path: Path) -> BundleSpec:
    try:
        spec = msgspec.json.decode(path.read_bytes(), type=BundleSpec)
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{path} cannot be read: {error}; train the model again"
        raise BundleError(msg) from error
    if spec.format != FORMAT:
        msg = f"{path} has format {spec.format}, this version reads {FORMAT}; train the model again"
        raise BundleError(msg)
    return spec


def _load_arrays(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    try:
        # NumPy leaves a file open that it cannot read
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        msg = f"{path} cannot be read: {error}; train the model again"
        raise BundleError(msg) from error
    if not all(np.isfinite(array).all() for array in arrays.values()):
        msg = f"{path} has values that are not finite; train the model again"
        raise BundleError(msg)
    return arrays


def _load_ridge(path: Path, shape: tuple[int, int]) -> Ridge:
    ridge = Ridge(**_load_arrays(path, RIDGE_ARRAYS))
    if ridge.coefficient.shape != shape:
        msg = f"{path} is for {ridge.coefficient.shape} outcomes and features, {SPEC_FILE} for {shape}"
        raise BundleError(msg)
    return ridge


def _load_xgboost(path: Path, features: int) -> Boosted:
    from xgboost import Booster  # noqa: PLC0415 - takes .3 s, which a scorer without a model need not wait for
    from xgboost.core import XGBoostError  # noqa: PLC0415

    try:
        booster = Booster({"nthread": 1})
        booster.load_model(path)
        settings = msgspec.json.decode(booster.save_config())["learner"]["learner_model_param"]
    except (XGBoostError, OSError, msgspec.MsgspecError) as error:
        msg = f"{path} cannot be read: {str(error).splitlines()[0]}; train the model again"
        raise BundleError(msg) from error
    if float(settings["base_score"].strip("[]")) != 0.5:  # noqa: PLR2004
        msg = f"{path} was trained with base_score {settings['base_score']}: it would add an intercept without a margin"
        raise BundleError(msg)
    if booster.num_features() != features:
        msg = f"{path} takes {booster.num_features()} features, {SPEC_FILE} names {features}"
        raise BundleError(msg)
    return Boosted(booster)
