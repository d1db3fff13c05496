"""Importing: parts that are not known yet, each in one transaction, with counts of everything.

The events and results of the next parts are committed, on another connection, while the quotes of a part are stored. A
part is known by its content once it is finished, so a killed import continues where it was; within a file that was
changed, or lies elsewhere in another version, quotes that are stored are not stored again.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from edge_assets.clock import WallClock, micros, to_datetime
from edge_assets.feeds.history.batch import Refusal, Refusals, RefusedFileError
from edge_assets.feeds.history.sources import left_out, printable
from edge_assets.importing.batches import Origin, look, store
from edge_assets.importing.captures import Names, SportImport, load
from edge_assets.importing.faults import DATA_ERRORS, contradicts, held_out, not_storable, refusal_of
from edge_assets.importing.formats import FORMATS, FormatName
from edge_assets.importing.futures import captures_by, without_future
from edge_assets.importing.locating import locate
from edge_assets.importing.reading import Job, Ready, ahead, grouped
from edge_assets.importing.reporting import ImportReport, Unwatched
from edge_assets.store import history, imports
from edge_assets.store.database import connect
from edge_assets.store.imports import ImportCounts
from edge_assets.store.results import remember_contradicted
from edge_assets.store.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from edge_assets.clock import Clock
    from edge_assets.feeds.history.batch import HistoryBatch, HistoryEvent, Reading
    from edge_assets.feeds.history.sources import Part
    from edge_assets.importing.batches import Looked
    from edge_assets.importing.locating import Located
    from edge_assets.importing.reporting import Watcher
    from edge_assets.matching import Fixture

__all__ = ["ImportReport", "Importer"]


class Importer:
    """Imports into one database. A context manager: it holds connections."""

    def __init__(self, database_url: str, run_id: str = "import", clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
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

        A file that is no such file, or damaged, and a path that leads nowhere are refused, and the others are imported.

        Raises:
            RefusedFileError: the only path leads nowhere, or none leads to anything of this format.
        """
        how, report = FORMATS[name], ImportReport()
        parts = [(part, part.size) for part in self._parts(name, paths, report)]
        self.watcher.begin(sum(size for _, size in parts))
        fresh = [job for part, size in parts if (job := self._begin(name, part, size, report))]
        if how.read is None:
            self._captures_of(fresh, report)
        else:
            for group in grouped(self._ready(how.read, fresh, report)):
                self._store(group, report)
        if report.results:
            report.contradicted_events = remember_contradicted(self._conn)
        return report

    def _parts(self, name: FormatName, paths: Sequence[Path], report: ImportReport) -> list[Part]:
        """What there is to import; whatever else lies there is counted."""
        parts: dict[tuple[Path, ...], Part] = {}
        how = FORMATS[name]
        for path in paths:
            try:
                found = how.parts([path])
                others = left_out(path, found)
            except (RefusedFileError, OSError) as error:
                refusal = refusal_of(printable(path), error)
                if len(paths) == 1:
                    raise RefusedFileError(refusal) from error
                self._refuse_file(refusal, report)
                continue
            parts |= {part.files: part for part in found}
            for file in others:
                report.refused.add(Refusal(printable(file), "other_file", f"no {name} file", f"give {how.accepts}"))
        if not parts:
            told = ", ".join(map(printable, paths))
            raise RefusedFileError(Refusal(told, "nothing_to_import", f"no {name} files", f"give {how.accepts}"))
        return list(parts.values())

    def _begin(self, name: FormatName, part: Part, size: int, report: ImportReport) -> Job | None:
        """What is to be done for a part; None if its content is known, or cannot be read."""
        try:
            content = part.sha256()
        except OSError as error:
            self._refuse(part, size, refusal_of(part.name, error), report)
            return None
        import_id, finished = imports.begin(self._conn, name, printable(part.path), content)
        if not finished:
            return Job(part, size, Origin(import_id, self._run_id))
        report.known_files += 1
        if held := imports.held_out_by(self._conn, import_id):
            report.refused.add(held_out(part.name, import_id, held))
        self.watcher.advance(part.name, size)
        return None

    def _refuse_job(self, job: Job, error: Exception, report: ImportReport) -> None:
        """Refuse a part, and remember why; it is read again when it is imported again."""
        refusal = refusal_of(job.part.name, error)
        imports.finish(self._conn, job.origin.import_id, ImportCounts(rejected={refusal.reason: 1}), is_done=False)
        self._refuse(job.part, job.size, refusal, report)

    def _refuse(self, part: Part, size: int, refusal: Refusal, report: ImportReport) -> None:
        self._refuse_file(refusal, report)
        self.watcher.advance(part.name, size)

    def _refuse_file(self, refusal: Refusal, report: ImportReport) -> None:
        report.files += 1
        report.refused.add(refusal)
        report.refused_files.append(refusal)

    def _ready(self, read: Callable[[Part], Reading], jobs: Sequence[Job], report: ImportReport) -> Iterator[Ready]:
        """The parts that can be used."""
        for job, part in ahead(read, self._prepare, jobs):
            try:
                ready = part.result()
            except Exception as error:  # whatever a file does to its reader, the next one goes on
                self._refuse_job(job, error, report)
            else:
                yield ready

    def _prepare(self, job: Job, reading: Reading) -> Ready:
        """Everything that need not wait for the parts before; on another connection than that which stores them."""
        now = micros(self._clock.now())
        known = [without_future(batch, now, job.part.name, reading.refused) for batch in reading.batches]
        located = [
            found
            for batch in known
            if batch.events
            for found in self._located(batch, job.part.name, reading.refused, job.origin.import_id)
        ]
        return Ready(job, reading.refused, located)

    def _located(self, batch: HistoryBatch, file: str, refused: Refusals, import_id: int) -> list[Located]:
        """The batch, in pieces and without the events that the database does not take, should there be such."""
        try:
            history.make_room(self._names_conn, batch.quotes.observed_at)
            located = locate(self._names_conn, self._words, batch, import_id, micros(self._clock.now()))
        except DATA_ERRORS as error:
            if len(batch.events) <= 1:
                refused.add(not_storable(file, "".join(event.key for event in batch.events), error))
                return []
            return [found for half in batch.halves() for found in self._located(half, file, refused, import_id)]
        for event in located.ambiguous:
            refused.add(_ambiguous(file, event))
        for repeat in located.repeats:
            refused.add(_repeated(file, *repeat))
        return [located]

    def _store(self, group: Sequence[Ready], report: ImportReport) -> None:
        """All of the parts or nothing; if that cannot be, part by part."""
        try:
            with self._conn.transaction():
                looked = [[look(self._conn, located, part.job.origin) for located in part.batches] for part in group]
                counts = [self._finish(part, found) for part, found in zip(group, looked, strict=True)]
                store(self._conn, [found for of_part in looked for found in of_part])
        except Exception as error:  # told, or raised, by what is tried then
            refusal_of("", error)
            for part in group:
                self._store_alone(part, report)
        else:
            for part, of_part in zip(group, counts, strict=True):
                self._tell(part, of_part, report)

    def _store_alone(self, part: Ready, report: ImportReport) -> None:
        """What the database takes of a part."""
        try:
            with self._conn.transaction():
                counts = self._finish(part, [found for located in part.batches for found in self._kept(located, part)])
        except Exception as error:  # as in reading it
            self._refuse_job(part.job, error, report)
        else:
            self._tell(part, counts, report)

    def _kept(self, located: Located, part: Ready) -> list[Looked]:
        """The batch, in pieces and without the quotes of events that the database does not take."""
        try:
            with self._conn.transaction():
                found = look(self._conn, located, part.job.origin)
                store(self._conn, [found])
        except DATA_ERRORS as error:
            events = located.events()
            if len(events) <= 1:
                part.refused.add(not_storable(part.job.part.name, f"quotes of event {events}", error))
                return []
            return [found for half in located.halves() for found in self._kept(half, part)]
        return [found]

    def _finish(self, part: Ready, looked: Sequence[Looked]) -> ImportCounts:
        for found in looked:
            if len(found.contradicted):
                self._refuse_contradictions(part, found)
        counts = _counted(part, looked)
        imports.finish(self._conn, part.job.origin.import_id, counts)
        return counts

    def _refuse_contradictions(self, part: Ready, found: Looked) -> None:
        """What was told first stays: who knows better has to take that import out."""
        sport_id, own = found.located.sport_id, part.job.origin.import_id
        earlier = imports.tellers(self._conn, sport_id, found.contradicted, own)
        part.refused.add(contradicts(part.job.part.name, len(found.contradicted), earlier), len(found.contradicted))

    def _tell(self, part: Ready, counts: ImportCounts, report: ImportReport) -> None:
        report.add(counts)
        report.refused.merge(part.refused)
        self.watcher.advance(part.job.part.name, part.job.size)

    def _captures_of(self, jobs: Sequence[Job], report: ImportReport) -> None:
        for job in jobs:
            try:
                counts, refused, failed = self._captures(job)
            except Exception as error:  # whatever a file does to its reader, the next one goes on
                self._refuse_job(job, error, report)
            else:
                report.add(counts)
                report.refused.merge(refused)
                report.refused_files += failed

    def _captures(self, job: Job) -> tuple[ImportCounts, Refusals, list[Refusal]]:
        """Capture by capture: what is committed is not done again. The last are faults of this program.

        With one the import is not done, so that a later version reads what was lost by it.
        """
        part, size, origin = job
        tape, refused = load(part.path)
        known = captures_by(micros(self._clock.now()), tape.captures, part.name, refused)
        total, rejected, failed = ImportCounts(), Counter[str](), list[Refusal]()
        progress = self._steps(part.name, size, len(known))
        for sport, captures in groupby(sorted(known, key=lambda c: (c.sport, c.at)), key=lambda c: c.sport):
            try:
                done = SportImport(
                    self._conn, Names(self._names_conn, self._words, sport, origin.import_id), tape, sport, origin
                )
                done.run(list(captures), progress)
            except Exception as error:  # the other sports have nothing to do with it
                failed.append(refusal_of(f"{part.name}, {sport}", error))
                continue
            total.rows += done.counts.rows
            total.events += done.counts.events
            total.ticks += done.counts.ticks
            rejected += done.rejected
            failed += done.failed
        for failure in failed:
            refused.add(failure)
        refused.counts += rejected
        total.rejected = refused.counts
        imports.finish(self._conn, origin.import_id, total, is_done=not failed)
        return total, refused, failed

    def _steps(self, name: str, size: int, n: int) -> Callable[[], None]:
        return lambda: self.watcher.advance(name, size // max(n, 1))


def _ambiguous(file: str, event: HistoryEvent) -> Refusal:
    detail = f"{event.home} - {event.away} of {to_datetime(event.start):%Y-%m-%d %H:%M} UTC could be several events"
    return Refusal(file, "ambiguous_event", detail, "it was stored as an event of its own; check the starts")


def _repeated(file: str, event: HistoryEvent, before: Fixture) -> Refusal:
    listed = f"{event.home} - {event.away} of {to_datetime(event.start):%Y-%m-%d %H:%M} UTC"
    detail = f"{listed} is {before.home} - {before.away} of {before.start:%Y-%m-%d %H:%M} UTC, listed again"
    remedy = "correct the file; if the results differ they settle nothing: `edge results list --contradicted`"
    return Refusal(file, "match_twice", detail, remedy)


def _counted(part: Ready, looked: Sequence[Looked]) -> ImportCounts:
    return ImportCounts(
        rows=sum(located.batch.rows for located in part.batches),
        events=sum(len(located.batch.events) for located in part.batches),
        ticks=sum(len(found.ticks.polls) for found in looked),
        aggregates=sum(len(found.aggregates.polls) for found in looked),
        results=sum(located.results for located in part.batches),
        rejected=part.refused.counts,
    )
