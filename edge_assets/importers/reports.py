"""What an import tells: how far it is, and in the end what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from edge_assets.importers.formats.batch import Rejection, Rejections

if TYPE_CHECKING:
    from edge_assets.store.events.imports import ImportCounts

COUNT_FIELDS = ("rows", "events", "ticks", "aggregates", "results")


class ProgressListener(Protocol):
    """Is told how far an import is."""

    def begin(self, total: int) -> None:
        """`total` bytes lie ahead."""
        ...

    def advance(self, what: str, by: int) -> None:
        """`by` more bytes are done; `what` is being imported."""
        ...


class NullProgress:
    """Nobody looks."""

    def begin(self, total: int) -> None:
        """Say nothing."""

    def advance(self, what: str, by: int) -> None:
        """Say nothing."""


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    `known_files` are those whose content was imported before: they count nowhere else. `contradicted_events` are all of
    the database whose results differ between sources.
    """

    files: int = 0
    known_files: int = 0
    rows: int = 0
    events: int = 0
    ticks: int = 0
    aggregates: int = 0
    results: int = 0
    contradicted_events: int = 0
    rejected: Rejections = field(default_factory=Rejections)
    rejected_files: list[Rejection] = field(default_factory=list)

    def add(self, counts: ImportCounts) -> None:
        """Count a part."""
        self.files += 1
        for name in COUNT_FIELDS:
            setattr(self, name, getattr(self, name) + getattr(counts, name))

    def as_json(self) -> dict[str, Any]:
        """The counts, for programs."""
        names = ("files", "known_files", *COUNT_FIELDS, "contradicted_events")
        return {name: getattr(self, name) for name in names} | {"rejected": dict(self.rejected.counts)}
