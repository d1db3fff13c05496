"""Importing: parts that are not known yet, each in one transaction, with counts of everything.

The events and results of the next parts are committed, on another connection, while the quotes of a part are stored. A
part is known by its content once it is finished, so a killed import continues where it was; within a file that was
changed, or lies elsewhere in another version, quotes that are stored are not stored again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol

from edge_assets.clock import to_datetime
from edge_assets.feeds.history.batch import Refusal, Refusals, RefusedFileError
from edge_assets.importing.batches import Origin, look, store
from edge_assets.importing.captures import Names, SportImport, load
from edge_assets.importing.formats import FORMATS, FormatName
from edge_assets.importing.locating import locate
from edge_assets.importing.reading import Job, Ready, ahead, grouped
from edge_assets.store import history, imports
from edge_assets.store.database import connect
from edge_assets.store.imports import ImportCounts
from edge_assets.store.results import contradicted_events
from edge_assets.store.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from edge_assets.feeds.history.batch import HistoryEvent, Reading
    from edge_assets.feeds.history.sources import Part
    from edge_assets.importing.batches import Looked

COUNTS = ("rows", "events", "ticks", "aggregates", "results")


class Watcher(Protocol):
    """Is told how far an import is."""

    def begin(self, total: int) -> None:
        """`total` bytes lie ahead."""
        ...

    def advance(self, what: str, by: int) -> None:
        """`by` more bytes are done; `what` is being imported."""
        ...


class Unwatched:
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
    refused: Refusals = field(default_factory=Refusals)
    refused_files: list[Refusal] = field(default_factory=list)

    def add(self, counts: ImportCounts) -> None:
        """Count a part."""
        self.files += 1
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(counts, name))

    def as_json(self) -> dict[str, Any]:
        """The counts, for programs."""
        names = ("files", "known_files", *COUNTS, "contradicted_events")
        return {name: getattr(self, name) for name in names} | {"rejected": dict(self.refused.counts)}


class Importer:
    """Imports into one database. A context manager: it holds connections."""

    def __init__(self, database_url: str, run_id: str = "import") -> None:
        self._conn = connect(database_url, "edge import")
        self._names_conn = connect(database_url, "edge import names")
        self._words = Vocabulary.load(database_url)
        self._run_id = run_id
        self.watcher: Watcher = Unwatched()

    def __enter__(self) -> Self:
        """Hand out the importer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the connections back."""
        self._conn.close()
        self._names_conn.close()
        self._words.close()

    def run(self, name: FormatName, paths: Sequence[Path]) -> ImportReport:
        """Import what lies below the paths.

        A file that is no such file, or damaged, is refused and the others are imported.

        Raises:
            RefusedFileError: a path leads nowhere, or to nothing of this format.
        """
        how, report = FORMATS[name], ImportReport()
        parts = [(part, part.size) for part in how.parts(paths)]
        if not parts:
            found = ", ".join(map(str, paths))
            raise RefusedFileError(Refusal(found, "nothing_to_import", f"no {name} files", f"give {how.accepts}"))
        self.watcher.begin(sum(size for _, size in parts))
        fresh = [job for part, size in parts if (job := self._begin(name, part, size, report))]
        if how.read is None:
            self._captures_of(fresh, report)
        else:
            for group in grouped(self._ready(how.read, fresh, report)):
                self._store(group, report)
        if report.results:
            report.contradicted_events = contradicted_events(self._conn)
        return report

    def _begin(self, name: FormatName, part: Part, size: int, report: ImportReport) -> Job | None:
        """What is to be done for a part; None if its content is known."""
        import_id, finished = imports.begin(self._conn, name, str(part.path), part.sha256())
        if not finished:
            return Job(part, size, Origin(import_id, self._run_id))
        report.known_files += 1
        self.watcher.advance(part.name, size)
        return None

    def _refuse(self, job: Job, refusal: Refusal, report: ImportReport) -> None:
        report.files += 1
        report.refused.add(refusal)
        report.refused_files.append(refusal)
        self.watcher.advance(job.part.name, job.size)

    def _ready(self, read: Callable[[Part], Reading], jobs: Sequence[Job], report: ImportReport) -> Iterator[Ready]:
        """The parts that can be used."""
        for job, part in ahead(read, self._prepare, jobs):
            try:
                ready = part.result()
            except RefusedFileError as error:
                self._refuse(job, error.refusal, report)
            else:
                yield ready

    def _prepare(self, job: Job, reading: Reading) -> Ready:
        """Everything that need not wait for the parts before; on another connection than that which stores them."""
        batches, refused = reading
        for batch in batches:
            history.make_room(self._names_conn, batch.quotes.observed_at)
        located = [locate(self._names_conn, self._words, batch) for batch in batches]
        for event in (event for found in located for event in found.ambiguous):
            refused.add(_ambiguous(job.part.name, event))
        return Ready(job, refused, located)

    def _store(self, group: Sequence[Ready], report: ImportReport) -> None:
        """All of the parts or nothing."""
        with self._conn.transaction():
            looked: list[Looked] = []
            for part in group:
                found = [look(self._conn, located, part.job.origin) for located in part.batches]
                counts = _counted(part.refused, found)
                imports.finish(self._conn, part.job.origin.import_id, counts)
                report.add(counts)
                looked += found
            store(self._conn, looked)
        for job, refused, _ in group:
            report.refused.merge(refused)
            self.watcher.advance(job.part.name, job.size)

    def _captures_of(self, jobs: Sequence[Job], report: ImportReport) -> None:
        for job in jobs:
            try:
                counts, refused = self._captures(job)
            except RefusedFileError as error:
                self._refuse(job, error.refusal, report)
            else:
                report.add(counts)
                report.refused.merge(refused)

    def _captures(self, job: Job) -> tuple[ImportCounts, Refusals]:
        """Capture by capture: what is committed is not done again."""
        part, size, origin = job
        tape, refused = load(part.path)
        total, rejected = ImportCounts(), Counter[str]()
        progress = self._steps(part.name, size, len(tape.captures))
        for sport, captures in groupby(sorted(tape.captures, key=lambda c: (c.sport, c.at)), key=lambda c: c.sport):
            done = SportImport(self._conn, Names(self._names_conn, self._words, sport), tape, sport, origin)
            done.run(list(captures), progress)
            total.rows += done.counts.rows
            total.events += done.counts.events
            total.ticks += done.counts.ticks
            rejected += done.rejected
        refused.counts += rejected
        total.rejected = refused.counts
        imports.finish(self._conn, origin.import_id, total)
        return total, refused

    def _steps(self, name: str, size: int, n: int) -> Callable[[], None]:
        return lambda: self.watcher.advance(name, size // max(n, 1))


def _ambiguous(file: str, event: HistoryEvent) -> Refusal:
    detail = f"{event.home} - {event.away} of {to_datetime(event.start):%Y-%m-%d %H:%M} UTC could be several events"
    return Refusal(file, "ambiguous_event", detail, "it was stored as an event of its own; check the starts")


def _counted(refused: Refusals, looked: Sequence[Looked]) -> ImportCounts:
    return ImportCounts(
        rows=sum(found.located.batch.rows for found in looked),
        events=sum(len(found.located.batch.events) for found in looked),
        ticks=sum(len(found.ticks.polls) for found in looked),
        aggregates=sum(len(found.aggregates.polls) for found in looked),
        results=sum(found.located.results for found in looked),
        rejected=refused.counts,
    )
