"""SIGTERM ends the bursts of this process between two polls, so that stopping the stack leaves no failed run."""

from __future__ import annotations

import asyncio
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TerminationHandler:
    """Handles SIGTERM from the first burst's start to the last one's end; bursts may overlap in any order."""

    def __init__(self) -> None:
        self._cancellations: list[Callable[[], object]] = []
        self._previous: signal._HANDLER = signal.SIG_DFL

    @contextmanager
    def cancelling(self, cancelled: asyncio.Event) -> Iterator[None]:
        """Set `cancelled` on SIGTERM; does nothing outside the main thread, where signals cannot be handled."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            loop.call_soon_threadsafe(cancelled.set)

        if not self._cancellations:
            self._previous = signal.signal(signal.SIGTERM, lambda *_: self._cancel_all())
        self._cancellations.append(cancel)
        try:
            yield
        finally:
            self._cancellations.remove(cancel)
            if not self._cancellations:
                signal.signal(signal.SIGTERM, self._previous)

    def _cancel_all(self) -> None:
        for cancel in self._cancellations:
            cancel()


TERMINATION = TerminationHandler()
"""The process's only one, as the process has one handler of the signal."""
