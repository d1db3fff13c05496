"""What a burst runs in the background can be cancelled at any moment, or the burst would never end."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from edge_assets.ingestion.run_watch import SingleFlight


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost() -> None:
    answer = threading.Event()
    task = asyncio.create_task(SingleFlight(answer.wait).run())
    await asyncio.sleep(0.05)
    answer.set()
    time.sleep(0.05)  # noqa: ASYNC251 - the loop stands still: the answer waits for its next round
    await asyncio.sleep(0)
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_call_that_hangs_is_not_repeated() -> None:
    answer = threading.Event()
    flight = SingleFlight(answer.wait)
    task = asyncio.create_task(flight.run())
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError, match="still hangs"):
        await flight.run()
    answer.set()
    assert await task
