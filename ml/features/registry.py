"""What a feature is: declared once, with its unit, the time from which it is known and what its absence means."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float32]


class KnownAt(StrEnum):
    """From when on a feature's value is known, and therefore which moments it may be asked for."""

    QUOTED = "quoted"
    """When the newest of the prices that it is made of was seen."""
    EARLIER_STARTS = "earlier_starts"
    """When the last of the teams' earlier games that it counts had started: its closing prices were known then."""
    EARLIER_RESULTS = "earlier_results"
    """When the result, and the statistics if it has any, of the last earlier game that it counts were known."""
    SCHEDULED = "scheduled"
    """With the fixture."""


class Feature(NamedTuple):
    """A feature; `missing` is what NaN means. By name it is the same in training, in a bundle and live."""

    name: str
    unit: str
    known_at: KnownAt
    missing: str


class FeatureTable(NamedTuple):
    """Values (E, n, F) of events by outcome, with the F features that they are."""

    features: tuple[Feature, ...]
    values: Values

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names."""
        return tuple(feature.name for feature in self.features)

    def select(self, names: Sequence[str]) -> FeatureTable:
        """The features `names`, in this order; one that is not there is missing throughout.

        Raises `KeyError` for a name that is neither here nor a book's, which may come and go.
        """
        columns = {name: i for i, name in enumerate(self.names)}
        values = np.full((*self.values.shape[:2], len(names)), np.nan, np.float32)
        for i, name in enumerate(names):
            if name in columns:
                values[:, :, i] = self.values[:, :, columns[name]]
            elif not name.startswith(BOOK_PREFIX):
                raise KeyError(name)
        by_name = dict(zip(self.names, self.features, strict=True))
        return FeatureTable(tuple(by_name.get(name) or book_feature(name) for name in names), values)


BOOK_PREFIX = "book:"


def book_feature(name: str) -> Feature:
    """The feature of one book, by its name `book:<key>`."""
    return Feature(name, "log-odds", KnownAt.QUOTED, "the book has no complete price on the line")


def join_tables(tables: Sequence[FeatureTable]) -> FeatureTable:
    """All features of `tables`, which are of the same events."""
    features = tuple(feature for table in tables for feature in table.features)
    names = [feature.name for feature in features]
    if len(set(names)) != len(names):
        msg = f"features declared twice: {sorted({name for name in names if names.count(name) > 1})}"
        raise ValueError(msg)
    return FeatureTable(features, np.concatenate([table.values for table in tables], axis=2))
