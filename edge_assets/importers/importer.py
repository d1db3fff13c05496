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
from edge_assets.importers.formats.source_units import find_left_out_files, format_path
from edge_assets.importers.future_times import reject_future_captures, reject_future_times
from edge_assets.importers.part_failures import (
    DATA_ERRORS,
    reject_contradiction,
    reject_held_out,
    reject_unstorable,
    rejection_from_error,
)
from edge_assets.importers.pipeline import ImportTask, PreparedPart, group_parts, prepare_ahead
from edge_assets.importers.quote_batches import ImportContext, store_polls, store_quotes
from edge_assets.importers.recordings import ImportIdResolver, SportImport, load_recording
from edge_assets.importers.registry import FORMATS, FormatName
from edge_assets.importers.reports import ImportReport, NullProgress
from edge_assets.importers.resolve_batch import resolve_batch
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

    def run(self, format_name: FormatName, paths: Sequence[Path]) -> ImportReport:
        """Import everything below the paths.

        Damaged files, files of another format and missing paths are rejected, and the others imported.

        Raises:
            RejectedFileError: the only path does not exist, or no path has anything of this format.
        """
        file_format, report = FORMATS[format_name], ImportReport()
        parts = [(part, part.size) for part in self._parts(format_name, paths, report)]
        self.progress.begin(sum(size for _, size in parts))
        tasks = [task for part, size in parts if (task := self._begin_part(format_name, part, size, report))]
        if file_format.read is None:
            self._import_captures(tasks, report)
        else:
            for group in group_parts(self._prepare_parts(file_format.read, tasks, report)):
                self._store_group(group, report)
        if report.results:
            report.contradicted_events = update_contradicted_events(self._conn)
        return report

    def _parts(self, name: FormatName, paths: Sequence[Path], report: ImportReport) -> list[ImportUnit]:
        """The units to import; other files below the paths are rejected."""
        parts: dict[tuple[Path, ...], ImportUnit] = {}
        file_format = FORMATS[name]
        for path in paths:
            try:
                found = file_format.find_parts([path])
                others = find_left_out_files(path, found)
            except (RejectedFileError, OSError) as error:
                rejection = rejection_from_error(format_path(path), error)
                if len(paths) == 1:
                    raise RejectedFileError(rejection) from error
                self._reject_file(rejection, report)
                continue
            parts |= {part.files: part for part in found}
            for file in others:
                report.rejected.add(
                    Rejection(format_path(file), "other_file", f"not a {name} file", f"use {file_format.accepts}")
                )
        if not parts:
            listed = ", ".join(map(format_path, paths))
            remedy = f"use {file_format.accepts}"
            raise RejectedFileError(Rejection(listed, "nothing_to_import", f"no {name} files", remedy))
        return list(parts.values())

    def _begin_part(self, name: FormatName, part: ImportUnit, size: int, report: ImportReport) -> ImportTask | None:
        """Start the import of a unit; None if its content is already imported or unreadable."""
        try:
            digest = part.sha256()
        except OSError as error:
            self._reject(part, size, rejection_from_error(part.name, error), report)
            return None
        import_id, is_finished = imports.begin_import(self._conn, name, format_path(part.path), digest)
        if not is_finished:
            return ImportTask(part, size, ImportContext(import_id, self._run_id))
        report.known_files += 1
        if held_by := imports.find_import_hold(self._conn, import_id):
            report.rejected.add(reject_held_out(part.name, import_id, held_by))
        self.progress.advance(part.name, size)
        return None

    def _reject_task(self, task: ImportTask, error: Exception, report: ImportReport) -> None:
        """Reject a unit and record the reason; a later import reads it again."""
        rejection = rejection_from_error(task.part.name, error)
        imports.finish_import(
            self._conn, task.context.import_id, ImportCounts(rejected={rejection.reason: 1}), is_done=False
        )
        self._reject(task.part, task.size, rejection, report)

    def _reject(self, part: ImportUnit, size: int, rejection: Rejection, report: ImportReport) -> None:
        self._reject_file(rejection, report)
        self.progress.advance(part.name, size)

    def _reject_file(self, rejection: Rejection, report: ImportReport) -> None:
        report.files += 1
        report.rejected.add(rejection)
        report.rejected_files.append(rejection)

    def _prepare_parts(
        self, read: Callable[[ImportUnit], ParseResult], tasks: Sequence[ImportTask], report: ImportReport
    ) -> Iterator[PreparedPart]:
        """Yield the prepared units; units that fail are rejected."""
        for task, part in prepare_ahead(read, self._prepare_part, tasks):
            try:
                prepared = part.result()
            except Exception as error:  # a failure in one file must not stop the next
                self._reject_task(task, error, report)
            else:
                yield prepared

    def _prepare_part(self, task: ImportTask, parsed: ParseResult) -> PreparedPart:
        """Do what need not wait for earlier units, on a connection other than the one that stores them."""
        now = to_micros(self._clock.now())
        known = [reject_future_times(batch, now, task.part.name, parsed.rejections) for batch in parsed.batches]
        resolved = [
            resolved_batch
            for batch in known
            if batch.events
            for resolved_batch in self._resolve_batch(batch, task.part.name, parsed.rejections, task.context.import_id)
        ]
        return PreparedPart(task, parsed.rejections, resolved)

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

    def _store_group(self, group: Sequence[PreparedPart], report: ImportReport) -> None:
        """Store all units in one transaction; if that fails, one by one."""
        try:
            with self._conn.transaction():
                deduplicated = [
                    [store_polls(self._conn, located, part.task.context) for located in part.batches] for part in group
                ]
                counts = [self._finish_part(part, found) for part, found in zip(group, deduplicated, strict=True)]
                store_quotes(self._conn, [found for part_counts in deduplicated for found in part_counts])
        except Exception as error:  # reported, or raised, by the retry below
            rejection_from_error("", error)
            for part in group:
                self._store_part(part, report)
        else:
            for part, of_part in zip(group, counts, strict=True):
                self._report_part(part, of_part, report)

    def _store_part(self, part: PreparedPart, report: ImportReport) -> None:
        """Store a unit without the quotes that the database rejects."""
        try:
            with self._conn.transaction():
                counts = self._finish_part(
                    part, [found for located in part.batches for found in self._store_batch(located, part)]
                )
        except Exception as error:  # a failure in one file must not stop the next
            self._reject_task(part.task, error, report)
        else:
            self._report_part(part, counts, report)

    def _store_batch(self, resolved: ResolvedBatch, part: PreparedPart) -> list[DeduplicatedBatch]:
        """Store a batch; if the database rejects some quotes, split it and drop only those of the events concerned."""
        try:
            with self._conn.transaction():
                deduplicated = store_polls(self._conn, resolved, part.task.context)
                store_quotes(self._conn, [deduplicated])
        except DATA_ERRORS as error:
            events = resolved.event_ids()
            if len(events) <= 1:
                part.rejected.add(reject_unstorable(part.task.part.name, f"quotes of event {events}", error))
                return []
            return [found for half in resolved.split_events() for found in self._store_batch(half, part)]
        return [deduplicated]

    def _finish_part(self, part: PreparedPart, batches: Sequence[DeduplicatedBatch]) -> ImportCounts:
        for batch in batches:
            if len(batch.contradicted_at):
                self._reject_contradictions(part, batch)
        counts = _count_part(part, batches)
        imports.finish_import(self._conn, part.task.context.import_id, counts)
        return counts

    def _reject_contradictions(self, part: PreparedPart, batch: DeduplicatedBatch) -> None:
        """Reject quotes that contradict earlier imports: the first stay until a person withdraws that import."""
        sport_id, import_id = batch.resolved.sport_id, part.task.context.import_id
        earlier = imports.load_overlapping_imports(self._conn, sport_id, batch.contradicted_at, import_id)
        part.rejected.add(
            reject_contradiction(part.task.part.name, len(batch.contradicted_at), earlier), len(batch.contradicted_at)
        )

    def _report_part(self, part: PreparedPart, counts: ImportCounts, report: ImportReport) -> None:
        report.add(counts)
        report.rejected.merge(part.rejected)
        self.progress.advance(part.task.part.name, part.task.size)

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
        part, size, context = task
        recording, rejections = load_recording(part.path)
        known = reject_future_captures(to_micros(self._clock.now()), recording.captures, part.name, rejections)
        total, rejected, failed = ImportCounts(), Counter[str](), list[Rejection]()
        progress = self._progress_callback(part.name, size, len(known))
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
                failed.append(rejection_from_error(f"{part.name}, {sport}", error))
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


def _count_part(part: PreparedPart, batches: Sequence[DeduplicatedBatch]) -> ImportCounts:
    return ImportCounts(
        rows=sum(located.batch.rows for located in part.batches),
        events=sum(len(located.batch.events) for located in part.batches),
        ticks=sum(len(found.ticks.poll_ids) for found in batches),
        aggregates=sum(len(found.aggregates.poll_ids) for found in batches),
        results=sum(located.results for located in part.batches),
        rejected=part.rejected.counts,
    )
