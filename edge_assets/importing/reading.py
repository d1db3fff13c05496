"""Preparing the parts of an import while the server stores those before."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from edge_assets.feeds.history.batch import Reading, Refusals
    from edge_assets.feeds.history.sources import Part
    from edge_assets.importing.batches import Origin
    from edge_assets.importing.locating import Located

AHEAD = 4 << 20
"""Bytes of parts that are prepared ahead."""
GROUPED = 500_000
"""Quotes, after which a group ends: what a kill costs at most, beside one part."""


class Job(NamedTuple):
    """A part to import, its bytes, and the import that it is."""

    part: Part
    size: int
    origin: Origin


class Ready(NamedTuple):
    """A part that was read, with its batches under the database's ids."""

    job: Job
    refused: Refusals
    batches: list[Located]


def ahead(
    read: Callable[[Part], Reading], prepare: Callable[[Job, Reading], Ready], jobs: Sequence[Job]
) -> Iterator[tuple[Job, Future[Ready]]]:
    """The parts in order, the next ones in the making while the caller stores the last.

    They are read on one thread and prepared, which waits for the server, on another.
    """
    with ThreadPoolExecutor(max_workers=1) as reader, ThreadPoolExecutor(max_workers=1) as preparer:
        begun: deque[tuple[Job, Future[Ready]]] = deque()
        size = 0
        for job in jobs:
            reading = reader.submit(read, job.part)
            begun.append((job, preparer.submit(lambda job, reading: prepare(job, reading.result()), job, reading)))
            size += job.size
            while size > AHEAD and len(begun) > 1:
                size -= begun[0][0].size
                yield begun.popleft()
        yield from begun


def grouped(parts: Iterable[Ready]) -> Iterator[list[Ready]]:
    """Parts that may share a transaction: of different sports, so that no quote of one is one of another."""
    group: list[Ready] = []
    sports: set[int] = set()
    quotes = 0
    for part in parts:
        theirs = {located.sport_id for located in part.batches}
        if group and (theirs & sports or quotes > GROUPED):
            yield group
            group, sports, quotes = [], set(), 0
        group.append(part)
        sports |= theirs
        quotes += sum(len(located.quotes) + len(located.aggregates) for located in part.batches)
    if group:
        yield group
