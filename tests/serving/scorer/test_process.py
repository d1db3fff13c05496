"""`python -m serving.scorer` as the supervisor runs it: it starts, stops on a signal, and reports missing settings."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.scorer_harness import ScorerHarness, wait

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

PATIENCE = 30.0
STOPS_IN = 8.0
"""Seconds; a container is given ten."""


def stops(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> bool:
    """Whether a process exits cleanly, and soon, after a signal."""
    process.send_signal(number)
    began = time.monotonic()
    return process.wait(PATIENCE) == 0 and time.monotonic() - began < STOPS_IN


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_starts_scores_and_stops(harness: ScorerHarness, number: signal.Signals) -> None:
    polls = harness.poll_lively_market(5)
    with harness.process() as process:
        wait(harness.is_settled, PATIENCE)
        assert stops(process, number)
        assert process.stderr
        assert process.stderr.read().endswith("INFO stopped\n")
    harness.assert_whole(polls)


def test_a_process_waiting_for_the_lock_stops_too(harness: ScorerHarness) -> None:
    with harness.process() as first:
        wait(lambda: harness.count_working() == 1, PATIENCE)
        with harness.process() as second:
            wait(lambda: harness.count_waiting() == 1, PATIENCE)
            assert stops(second)
        assert first.poll() is None
        wait(lambda: harness.count_waiting() == 0)


def test_a_new_process_continues_after_a_killed_one(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(5)
    with harness.process() as process:
        wait(harness.is_settled, PATIENCE)
        process.kill()
    polls += harness.poll_lively_market(5, seed=2)
    harness.publish(*polls)
    harness.run_scorer()
    harness.assert_whole(polls)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set"),
        ({"REDIS_URL": ""}, "REDIS_URL is not set"),
        ({"ALERT_THRESHOLD_EDGE": "5"}, "ALERT_THRESHOLD_EDGE: Input should be less than 1"),
    ],
)
def test_missing_and_wrong_settings_are_reported_in_one_line(
    harness: ScorerHarness, changes: Mapping[str, str], complaint: str
) -> None:
    with harness.process(**changes) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert complaint in errors
