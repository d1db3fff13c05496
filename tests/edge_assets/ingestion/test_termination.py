"""Bursts of one process that overlap: SIGTERM reaches those that run, and the handler before them comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack

from edge_assets.ingestion.termination import TERMINATION


def test_overlapping_bursts_that_end_in_the_order_of_their_start_leave_no_handler() -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert asyncio.run(_terminate_the_second_of_two()) == (False, True)
    assert signal.getsignal(signal.SIGTERM) is before


async def _terminate_the_second_of_two() -> tuple[bool, bool]:
    first, second = asyncio.Event(), asyncio.Event()
    with ExitStack() as outlasting:
        with TERMINATION.cancelling(first):
            outlasting.enter_context(TERMINATION.cancelling(second))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
    return first.is_set(), second.is_set()
