"""Importing: parts that are not known yet, each in a transaction of its own, with counts of everything.

A part is known by its content once it is finished, so a killed import continues where it was; within a file that was
changed, or lies elsewhere in another version, quotes that are stored are not stored again.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from edge_assets.feeds.history.batch import Refusal, Refusals, RefusedFileError
from edge_assets.importing.batches import Origin, store_batch
from edge_assets.importing.captures import Names, SportImport, load
from edge_assets.importing.formats import FORMATS, FormatName
from edge_assets.store import history, imports
from edge_assets.store.database import connect
from edge_assets.store.imports import ImportCounts
from edge_assets.store.results import contradicted_events
from edge_assets.store.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from edge_assets.feeds.history.batch import Reading
    from edge_assets.feeds.history.sources import Part
    from edge_assets.importing.formats import Format

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


class _Job(NamedTuple):
    part: Part
    size: int
    origin: Origin


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
        for job, reading in zip(fresh, _read_ahead(how, fresh), strict=True):
            try:
                self._do(job, reading, report)
            except RefusedFileError as error:
                report.files += 1
                report.refused.add(error.refusal)
                report.refused_files.append(error.refusal)
                self.watcher.advance(job.part.name, job.size)
        if report.results:
            report.contradicted_events = contradicted_events(self._conn)
        return report

    def _begin(self, name: FormatName, part: Part, size: int, report: ImportReport) -> _Job | None:
        """What is to be done for a part; None if its content is known."""
        import_id, finished = imports.begin(self._conn, name, str(part.path), part.sha256())
        if not finished:
            return _Job(part, size, Origin(import_id, self._run_id))
        report.known_files += 1
        self.watcher.advance(part.name, size)
        return None

    def _do(self, job: _Job, reading: Future[Reading] | None, report: ImportReport) -> None:
        if reading is None:
            counts, refused = self._captures(job)
        else:
            found = reading.result()
            counts, refused = self._store(found, job.origin), found.refused
            self.watcher.advance(job.part.name, job.size)
        report.add(counts)
        report.refused.merge(refused)

    def _store(self, reading: Reading, origin: Origin) -> ImportCounts:
        """All of a part or nothing."""
        counts = ImportCounts(rejected=reading.refused.counts)
        for batch in reading.batches:
            history.make_room(self._conn, batch.quotes.observed_at)
        with self._conn.transaction():
            for batch in reading.batches:
                stored = store_batch(self._conn, self._words, batch, origin)
                counts.rows += batch.rows
                counts.events += len(batch.events)
                counts.ticks += stored.ticks
                counts.aggregates += stored.aggregates
                counts.results += stored.results
            imports.finish(self._conn, origin.import_id, counts)
        return counts

    def _captures(self, job: _Job) -> tuple[ImportCounts, Refusals]:
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


def _read_ahead(how: Format, jobs: Sequence[_Job]) -> Iterator[Future[Reading] | None]:
    """The readings of the parts in order, the next one in the making while the server stores the last."""
    if how.read is None:
        yield from (None for _ in jobs)
        return
    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead: deque[Future[Reading]] = deque()
        for job in jobs:
            ahead.append(reader.submit(how.read, job.part))
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead
