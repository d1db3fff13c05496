"""Reading the next thing while the last one is worked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

K = TypeVar("K")
V = TypeVar("V")


def prefetched(read: Callable[[K], V], keys: Iterable[K]) -> Iterator[tuple[K, V]]:
    """Each key with what `read`, on another thread, makes of it; never more than one is held ahead."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        last: tuple[K, Future[V]] | None = None
        for key in keys:
            coming = key, worker.submit(read, key)
            if last:
                yield last[0], last[1].result()
            last = coming
        if last:
            yield last[0], last[1].result()
