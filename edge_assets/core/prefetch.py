"""Read the next item while the current one is processed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

K = TypeVar("K")
V = TypeVar("V")


def prefetch(read: Callable[[K], V], keys: Iterable[K]) -> Iterator[tuple[K, V]]:
    """Yield each key with the result of `read`, which runs on another thread, at most one key ahead."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        pending: tuple[K, Future[V]] | None = None
        for key in keys:
            submitted = key, worker.submit(read, key)
            if pending:
                yield pending[0], pending[1].result()
            pending = submitted
        if pending:
            yield pending[0], pending[1].result()
