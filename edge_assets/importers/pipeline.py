"""Preparing the parts of an import while the server stores those before."""

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
"""Bytes of parts that are prepared ahead."""
MAX_GROUP_QUOTES = 500_000
"""Quotes, after which a group ends: what a kill costs at most, beside one part."""


class ImportTask(NamedTuple):
    """A part to import, its bytes, and the import that it is."""

    part: ImportUnit
    size: int
    context: ImportContext


class PreparedPart(NamedTuple):
    """A part that was read, with its batches under the database's ids."""

    task: ImportTask
    rejected: Rejections
    batches: list[ResolvedBatch]


def prepare_ahead(
    read: Callable[[ImportUnit], ParseResult],
    prepare: Callable[[ImportTask, ParseResult], PreparedPart],
    tasks: Sequence[ImportTask],
) -> Iterator[tuple[ImportTask, Future[PreparedPart]]]:
    """The parts in order, the next ones in the making while the caller stores the last.

    They are read on one thread and prepared, which waits for the server, on another.
    """
    with ThreadPoolExecutor(max_workers=1) as reader, ThreadPoolExecutor(max_workers=1) as preparer:
        pending: deque[tuple[ImportTask, Future[PreparedPart]]] = deque()
        size = 0
        for task in tasks:
            reading = reader.submit(read, task.part)
            pending.append((task, preparer.submit(lambda job, reading: prepare(job, reading.result()), task, reading)))
            size += task.size
            while size > PREFETCH_BYTES and len(pending) > 1:
                size -= pending[0][0].size
                yield pending.popleft()
        yield from pending


def group_parts(parts: Iterable[PreparedPart]) -> Iterator[list[PreparedPart]]:
    """Parts that may share a transaction: of different sports, so that no quote of one is one of another."""
    group: list[PreparedPart] = []
    sports: set[int] = set()
    quotes = 0
    for part in parts:
        part_sports = {located.sport_id for located in part.batches}
        if group and (part_sports & sports or quotes > MAX_GROUP_QUOTES):
            yield group
            group, sports, quotes = [], set(), 0
        group.append(part)
        sports |= part_sports
        quotes += sum(len(located.quotes) + len(located.aggregates) for located in part.batches)
    if group:
        yield group
