"""Prepare the next units of an import while the server stores the current ones."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_assets.importers.formats.batch import ParseResult, Rejections
    from edge_assets.importers.formats.source_units import ImportUnit
    from edge_assets.importers.quote_batches import ImportContext
    from edge_assets.importers.resolve_batch import ResolvedBatch

PREFETCH_BYTES = 4 << 20
"""Units prepared ahead."""
MAX_GROUP_QUOTES = 500_000
"""A group ends at this size; a killed import loses at most one group and one unit."""


class ImportTask(NamedTuple):
    """A unit to import, its size in bytes, and its import."""

    unit: ImportUnit
    size: int
    context: ImportContext


class PreparedUnit(NamedTuple):
    """A parsed unit, with its batches resolved to database ids."""

    task: ImportTask
    rejected: Rejections
    batches: list[ResolvedBatch]


def prepare_ahead(
    read: Callable[[ImportUnit], ParseResult],
    prepare: Callable[[ImportTask, ParseResult], PreparedUnit],
    tasks: Sequence[ImportTask],
) -> Iterator[tuple[ImportTask, Future[PreparedUnit]]]:
    """Yield the units in order; the next ones are prepared while the caller stores the current one.

    One thread reads; another prepares, which waits for the server.
    """
    with ThreadPoolExecutor(max_workers=1) as reader, ThreadPoolExecutor(max_workers=1) as preparer:
        pending: deque[tuple[ImportTask, Future[PreparedUnit]]] = deque()
        size = 0
        for task in tasks:
            parsed = reader.submit(read, task.unit)
            pending.append((task, preparer.submit(lambda task, parsed: prepare(task, parsed.result()), task, parsed)))
            size += task.size
            while size > PREFETCH_BYTES and len(pending) > 1:
                size -= pending[0][0].size
                yield pending.popleft()
        yield from pending


def group_units(units: Iterable[PreparedUnit]) -> Iterator[list[PreparedUnit]]:
    """Group units that can share a transaction: of different sports, so that no quotes coincide."""
    group: list[PreparedUnit] = []
    sports: set[int] = set()
    quotes = 0
    for unit in units:
        unit_sports = {resolved.sport_id for resolved in unit.batches}
        if group and (unit_sports & sports or quotes > MAX_GROUP_QUOTES):
            yield group
            group, sports, quotes = [], set(), 0
        group.append(unit)
        sports |= unit_sports
        quotes += sum(len(resolved.quotes) + len(resolved.aggregates) for resolved in unit.batches)
    if group:
        yield group
