"""Signals that end a command."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def raise_on_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into `KeyboardInterrupt`; shells ignore SIGINT for background jobs."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
