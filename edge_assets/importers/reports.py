"""Progress of an import, and its final report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edge_assets.importers.formats.batch import Rejection, Rejections

if TYPE_CHECKING:
    from edge_assets.store.events.imports import ImportCounts

COUNT_FIELDS = ("rows", "events", "ticks", "aggregates", "results", "statistics")


class ProgressListener(Protocol):
    """Receives the progress of an import."""

    def begin(self, total: int) -> None:
        """Start; `total` is in bytes."""
        ...

    def advance(self, what: str, by: int) -> None:
        """Advance `by` bytes; `what` is being imported."""
        ...


class NullProgress:
    """Discards progress."""

    def begin(self, total: int) -> None:
        """Do nothing."""

    def advance(self, what: str, by: int) -> None:
        """Do nothing."""


@dataclass(slots=True)
class ImportReport:
    """The counts of an import.

    `known_files` had been imported before and count nowhere else. `contradicted_events` are all events of the database
    whose results differ between sources.
    """

    files: int = 0
    known_files: int = 0
    rows: int = 0
    events: int = 0
    ticks: int = 0
    aggregates: int = 0
    results: int = 0
    statistics: int = 0
    contradicted_events: int = 0
    rejected: Rejections = field(default_factory=Rejections)
    rejected_files: list[Rejection] = field(default_factory=list)

    def add(self, counts: ImportCounts) -> None:
        """Add the counts of a unit."""
        self.files += 1
        for name in COUNT_FIELDS:
            setattr(self, name, getattr(self, name) + getattr(counts, name))

    def as_json(self) -> dict[str, Any]:
        """The counts, for programs."""
        names = ("files", "known_files", *COUNT_FIELDS, "contradicted_events")
        return {name: getattr(self, name) for name in names} | {"rejected": dict(self.rejected.counts)}
