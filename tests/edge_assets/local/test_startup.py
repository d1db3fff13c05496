from __future__ import annotations

import pytest

from edge_assets.local import startup
from edge_assets.local.errors import LocalError
from edge_assets.local.startup import StartupStep, start_in_order


class Recorder:
    def __init__(self) -> None:
        self.started: list[str] = []
        self.reported: list[tuple[str, str]] = []

    def step(self, name: str, *after: str, polls: int = 1, essential: bool = True) -> StartupStep:
        """A step that is ready at the given poll."""
        left = iter(range(polls - 1))
        return StartupStep(name, after, lambda: self.started.append(name), lambda: next(left, None) is None, essential)

    def report(self, name: str, state: str, _seconds: float) -> None:
        self.reported.append((name, state))


def test_a_step_starts_when_those_before_it_are_ready() -> None:
    recorder = Recorder()
    step = recorder.step
    start_in_order([step("c", "a", "b"), step("a", polls=2), step("b", "a"), step("d", "not there")], recorder.report)
    assert recorder.started.index("a") < recorder.started.index("b") < recorder.started.index("c")
    assert set(recorder.started) == {"a", "b", "c", "d"}
    assert recorder.reported.index(("a", "ready")) < recorder.reported.index(("b", "starting"))


def test_an_optional_step_is_started_but_not_awaited() -> None:
    recorder = Recorder()
    slow = recorder.step("slow", "a", polls=10_000, essential=False)
    start_in_order([recorder.step("a"), slow], recorder.report)
    assert recorder.started == ["a", "slow"]
    assert ("slow", "ready") not in recorder.reported


def test_a_stalled_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STALL_TIMEOUT_SECONDS", 0.2)
    recorder = Recorder()
    with pytest.raises(LocalError, match="slow is not ready after"):
        start_in_order([recorder.step("slow", polls=10_000)], recorder.report)


def test_a_step_that_makes_progress_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STALL_TIMEOUT_SECONDS", 0.2)
    polls = iter(range(8))
    slow = StartupStep(
        "slow", (), lambda: None, lambda: next(polls, None) is None, measure_progress=iter(range(100)).__next__
    )
    start_in_order([slow], Recorder().report)
    assert next(polls, None) is None

    monkeypatch.setattr(startup, "MAX_STEP_SECONDS", 0.3)
    with pytest.raises(LocalError, match="endless is not ready after"):
        start_in_order(
            [StartupStep("endless", (), lambda: None, lambda: False, measure_progress=iter(range(100)).__next__)],
            Recorder().report,
        )


def test_an_optional_step_may_fail_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STALL_TIMEOUT_SECONDS", 0.2)
    recorder = Recorder()
    broken = recorder.step("broken", polls=10_000, essential=False)
    start_in_order([recorder.step("daemon", "broken"), broken], recorder.report)
    assert recorder.started == ["broken", "daemon"]
    assert ("broken", "failed") in recorder.reported
