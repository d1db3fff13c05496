"""Import units that are not known yet, each in one transaction, with counts.

Events and results of the next units are committed on another connection while the quotes of one unit are stored. A
finished unit is known by its content hash, so a killed import continues where it was. Quotes that are already stored,
from another version of a file, are not stored again.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from edge_assets.core.clock import WallClock, to_datetime, to_micros
from edge_assets.importers.formats.batch import RejectedFileError, Rejection, Rejections
from edge_assets.importers.formats.source_units import find_unused_files, format_path
from edge_assets.importers.future_times import reject_future_captures, reject_future_times
from edge_assets.importers.pipeline import ImportTask, PreparedUnit, group_units, prepare_ahead
from edge_assets.importers.quote_batches import ImportContext, store_polls, store_quotes
from edge_assets.importers.recordings import ImportIdResolver, SportImport, load_recording
from edge_assets.importers.registry import FORMATS
from edge_assets.importers.reports import ImportReport, NullProgress
from edge_assets.importers.resolve_batch import resolve_batch
from edge_assets.importers.unit_failures import (
    DATA_ERRORS,
    reject_contradiction,
    reject_held_out,
    reject_unstorable,
    rejection_from_error,
)
from edge_assets.reference.sources import SOURCES, Source
from edge_assets.store.events import imports
from edge_assets.store.events.imports import ImportCounts
from edge_assets.store.events.results import update_contradicted_events
from edge_assets.store.polls import bulk_writer
from edge_assets.store.polls.dimensions import IdRegistry
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from edge_assets.core.clock import Clock
    from edge_assets.importers.formats.batch import ParsedBatch, ParsedEvent, ParseResult
    from edge_assets.importers.formats.source_units import ImportUnit
    from edge_assets.importers.quote_batches import DeduplicatedBatch
    from edge_assets.importers.reports import ProgressListener
    from edge_assets.importers.resolve_batch import ResolvedBatch
    from edge_assets.matching import Fixture

__all__ = ["ImportReport", "Importer"]


class Importer:
    """Imports into one database. Use as a context manager: it holds connections."""

    def __init__(self, database_url: str, run_id: str = "import", clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
        self._conn = connect(database_url, "edge import")
        self._ids_conn = connect(database_url, "edge import names")
        self._ids = IdRegistry.load(database_url)
        self._run_id = run_id
        self.progress: ProgressListener = NullProgress()

    def __enter__(self) -> Self:
        """Return the importer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._conn.close()
        self._ids_conn.close()
        self._ids.close()

    def run(self, format_name: Source, paths: Sequence[Path]) -> ImportReport:
        """Import everything below the paths.

        Damaged files, files of another format and missing paths are rejected, and the others imported.

        Raises:
            RejectedFileError: the only path does not exist, or no path has anything of this format.
        """
        file_format, report = FORMATS[format_name], ImportReport()
        units = [(unit, unit.size) for unit in self._units(format_name, paths, report)]
        self.progress.begin(sum(size for _, size in units))
        tasks = [task for unit, size in units if (task := self._begin_unit(format_name, unit, size, report))]
        if file_format.read is None:
            self._import_captures(tasks, report)
        else:
            for group in group_units(self._prepare_units(file_format.read, tasks, report)):
                self._store_group(group, report)
        if report.results:
            report.contradicted_events = update_contradicted_events(self._conn)
        return report

    def _units(self, name: Source, paths: Sequence[Path], report: ImportReport) -> list[ImportUnit]:
        """The units to import; other files below the paths are rejected."""
        units: dict[tuple[Path, ...], ImportUnit] = {}
        file_format = FORMATS[name]
        for path in paths:
            try:
                found = file_format.find_units([path])
                others = find_unused_files(path, found)
            except (RejectedFileError, OSError) as error:
                rejection = rejection_from_error(format_path(path), error)
                if len(paths) == 1:
                    raise RejectedFileError(rejection) from error
                self._reject_file(rejection, report)
                continue
            units |= {unit.files: unit for unit in found}
            for file in others:
                report.rejected.add(
                    Rejection(
                        format_path(file), "other_file", f"not a {name} file", f"use {SOURCES[name].import_files}"
                    )
                )
        if not units:
            listed = ", ".join(map(format_path, paths))
            remedy = f"use {SOURCES[name].import_files}"
            raise RejectedFileError(Rejection(listed, "nothing_to_import", f"no {name} files", remedy))
        return list(units.values())

    def _begin_unit(self, name: Source, unit: ImportUnit, size: int, report: ImportReport) -> ImportTask | None:
        """Start the import of a unit; None if its content is already imported or unreadable."""
        try:
            digest = unit.sha256()
        except OSError as error:
            self._reject(unit, size, rejection_from_error(unit.name, error), report)
            return None
        import_id, is_finished = imports.begin_import(self._conn, name, format_path(unit.path), digest)
        if not is_finished:
            return ImportTask(unit, size, ImportContext(import_id, self._run_id))
        report.known_files += 1
        if held_by := imports.find_import_hold(self._conn, import_id):
            report.rejected.add(reject_held_out(unit.name, import_id, held_by))
        self.progress.advance(unit.name, size)
        return None

    def _reject_task(self, task: ImportTask, error: Exception, report: ImportReport) -> None:
        """Reject a unit and record the reason; a later import reads it again."""
        rejection = rejection_from_error(task.unit.name, error)
        imports.finish_import(
            self._conn, task.context.import_id, ImportCounts(rejected={rejection.reason: 1}), is_done=False
        )
        self._reject(task.unit, task.size, rejection, report)

    def _reject(self, unit: ImportUnit, size: int, rejection: Rejection, report: ImportReport) -> None:
        self._reject_file(rejection, report)
        self.progress.advance(unit.name, size)

    def _reject_file(self, rejection: Rejection, report: ImportReport) -> None:
        report.files += 1
        report.rejected.add(rejection)
        report.rejected_files.append(rejection)

    def _prepare_units(
        self, read: Callable[[ImportUnit], ParseResult], tasks: Sequence[ImportTask], report: ImportReport
    ) -> Iterator[PreparedUnit]:
        """Yield the prepared units; units that fail are rejected."""
        for task, future in prepare_ahead(read, self._prepare_unit, tasks):
            try:
                prepared = future.result()
            except Exception as error:  # a failure in one file must not stop the next
                self._reject_task(task, error, report)
            else:
                yield prepared

    def _prepare_unit(self, task: ImportTask, parsed: ParseResult) -> PreparedUnit:
        """Do what need not wait for earlier units, on a connection other than the one that stores them."""
        now = to_micros(self._clock.now())
        known = [reject_future_times(batch, now, task.unit.name, parsed.rejections) for batch in parsed.batches]
        resolved = [
            resolved_batch
            for batch in known
            if batch.events
            for resolved_batch in self._resolve_batch(batch, task.unit.name, parsed.rejections, task.context.import_id)
        ]
        return PreparedUnit(task, parsed.rejections, resolved)

    def _resolve_batch(
        self, batch: ParsedBatch, file: str, rejected: Rejections, import_id: int
    ) -> list[ResolvedBatch]:
        """Resolve a batch; if the database rejects some events, split it and drop only those."""
        try:
            bulk_writer.ensure_month_chunks(self._ids_conn, batch.quotes.observed_at)
            resolved = resolve_batch(self._ids_conn, self._ids, batch, import_id, to_micros(self._clock.now()))
        except DATA_ERRORS as error:
            if len(batch.events) <= 1:
                rejected.add(reject_unstorable(file, "".join(event.key for event in batch.events), error))
                return []
            return [
                found
                for half in batch.split_in_half()
                for found in self._resolve_batch(half, file, rejected, import_id)
            ]
        for event in resolved.ambiguous:
            rejected.add(_reject_ambiguous(file, event))
        for repeat in resolved.repeats:
            rejected.add(_reject_repeat(file, *repeat))
        return [resolved]

    def _store_group(self, group: Sequence[PreparedUnit], report: ImportReport) -> None:
        """Store all units in one transaction; if that fails, one by one."""
        try:
            with self._conn.transaction():
                deduplicated = [
                    [store_polls(self._conn, resolved, unit.task.context) for resolved in unit.batches]
                    for unit in group
                ]
                counts = [self._finish_unit(unit, found) for unit, found in zip(group, deduplicated, strict=True)]
                store_quotes(self._conn, [found for unit_batches in deduplicated for found in unit_batches])
        except Exception as error:  # reported, or raised, by the retry below
            rejection_from_error("", error)
            for unit in group:
                self._store_unit(unit, report)
        else:
            for unit, unit_counts in zip(group, counts, strict=True):
                self._report_unit(unit, unit_counts, report)

    def _store_unit(self, unit: PreparedUnit, report: ImportReport) -> None:
        """Store a unit without the quotes that the database rejects."""
        try:
            with self._conn.transaction():
                counts = self._finish_unit(
                    unit, [found for resolved in unit.batches for found in self._store_batch(resolved, unit)]
                )
        except Exception as error:  # a failure in one file must not stop the next
            self._reject_task(unit.task, error, report)
        else:
            self._report_unit(unit, counts, report)

    def _store_batch(self, resolved: ResolvedBatch, unit: PreparedUnit) -> list[DeduplicatedBatch]:
        """Store a batch; if the database rejects some quotes, split it and drop only those of the events concerned."""
        try:
            with self._conn.transaction():
                deduplicated = store_polls(self._conn, resolved, unit.task.context)
                store_quotes(self._conn, [deduplicated])
        except DATA_ERRORS as error:
            events = resolved.event_ids()
            if len(events) <= 1:
                unit.rejected.add(reject_unstorable(unit.task.unit.name, f"quotes of event {events}", error))
                return []
            return [found for half in resolved.split_events() for found in self._store_batch(half, unit)]
        return [deduplicated]

    def _finish_unit(self, unit: PreparedUnit, batches: Sequence[DeduplicatedBatch]) -> ImportCounts:
        for batch in batches:
            if len(batch.contradicted_at):
                self._reject_contradictions(unit, batch)
        counts = _count_unit(unit, batches)
        imports.finish_import(self._conn, unit.task.context.import_id, counts)
        return counts

    def _reject_contradictions(self, unit: PreparedUnit, batch: DeduplicatedBatch) -> None:
        """Reject quotes that contradict earlier imports: the first stay until a person withdraws that import."""
        sport_id, import_id = batch.resolved.sport_id, unit.task.context.import_id
        earlier = imports.load_overlapping_imports(self._conn, sport_id, batch.contradicted_at, import_id)
        unit.rejected.add(
            reject_contradiction(unit.task.unit.name, len(batch.contradicted_at), earlier), len(batch.contradicted_at)
        )

    def _report_unit(self, unit: PreparedUnit, counts: ImportCounts, report: ImportReport) -> None:
        report.add(counts)
        report.rejected.merge(unit.rejected)
        self.progress.advance(unit.task.unit.name, unit.task.size)

    def _import_captures(self, tasks: Sequence[ImportTask], report: ImportReport) -> None:
        for task in tasks:
            try:
                counts, rejected, failed = self._import_capture_file(task)
            except Exception as error:  # a failure in one file must not stop the next
                self._reject_task(task, error, report)
            else:
                report.add(counts)
                report.rejected.merge(rejected)
                report.rejected_files += failed

    def _import_capture_file(self, task: ImportTask) -> tuple[ImportCounts, Rejections, list[Rejection]]:
        """Import capture by capture; committed ones are not repeated. The last element lists program errors.

        After a program error the import stays unfinished, so that a fixed version reads the rest.
        """
        unit, size, context = task
        recording, rejections = load_recording(unit.path)
        known = reject_future_captures(to_micros(self._clock.now()), recording.captures, unit.name, rejections)
        total, rejected, failed = ImportCounts(), Counter[str](), list[Rejection]()
        progress = self._progress_callback(unit.name, size, len(known))
        for sport, captures in groupby(sorted(known, key=lambda c: (c.sport, c.at)), key=lambda c: c.sport):
            try:
                sport_import = SportImport(
                    self._conn,
                    ImportIdResolver(self._ids_conn, self._ids, sport, context.import_id),
                    recording,
                    sport,
                    context,
                )
                sport_import.run(list(captures), progress)
            except Exception as error:  # a failure in one sport must not stop the others
                failed.append(rejection_from_error(f"{unit.name}, {sport}", error))
                continue
            total.rows += sport_import.counts.rows
            total.events += sport_import.counts.events
            total.ticks += sport_import.counts.ticks
            rejected += sport_import.rejected
            failed += sport_import.failed
        for failure in failed:
            rejections.add(failure)
        rejections.counts += rejected
        total.rejected = rejections.counts
        imports.finish_import(self._conn, context.import_id, total, is_done=not failed)
        return total, rejections, failed

    def _progress_callback(self, name: str, size: int, n: int) -> Callable[[], None]:
        return lambda: self.progress.advance(name, size // max(n, 1))


def _reject_ambiguous(file: str, event: ParsedEvent) -> Rejection:
    detail = f"{event.home} - {event.away} of {to_datetime(event.start):%Y-%m-%d %H:%M} UTC could be several events"
    return Rejection(file, "ambiguous_event", detail, "it was stored as a new event; check the start times")


def _reject_repeat(file: str, event: ParsedEvent, before: Fixture) -> Rejection:
    listed = f"{event.home} - {event.away} of {to_datetime(event.start):%Y-%m-%d %H:%M} UTC"
    detail = f"{listed} is {before.home} - {before.away} of {before.start:%Y-%m-%d %H:%M} UTC, listed again"
    remedy = "correct the file; if the results differ they settle nothing: `edge results list --contradicted`"
    return Rejection(file, "match_twice", detail, remedy)


def _count_unit(unit: PreparedUnit, batches: Sequence[DeduplicatedBatch]) -> ImportCounts:
    return ImportCounts(
        rows=sum(resolved.batch.rows for resolved in unit.batches),
        events=sum(len(resolved.batch.events) for resolved in unit.batches),
        ticks=sum(len(found.ticks.poll_ids) for found in batches),
        aggregates=sum(len(found.aggregates.poll_ids) for found in batches),
        results=sum(resolved.results for resolved in unit.batches),
        statistics=sum(resolved.statistics for resolved in unit.batches),
        rejected=unit.rejected.counts,
    )
