from __future__ import annotations

import pytest

from edge_assets.local import startup
from edge_assets.local.errors import LocalError
from edge_assets.local.startup import StartupStep, start_in_order


class Recorder:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.reported: list[tuple[str, str]] = []

    def step(self, name: str, *after: str, polls: int = 1, essential: bool = True) -> StartupStep:
        """A step that is ready at the `looks`-th look."""
        left = iter(range(polls - 1))
        return StartupStep(name, after, lambda: self.begun.append(name), lambda: next(left, None) is None, essential)

    def report(self, name: str, state: str, _seconds: float) -> None:
        self.reported.append((name, state))


def test_a_step_begins_when_those_before_it_are_ready() -> None:
    recorder = Recorder()
    step = recorder.step
    start_in_order([step("c", "a", "b"), step("a", polls=2), step("b", "a"), step("d", "not there")], recorder.report)
    assert recorder.begun.index("a") < recorder.begun.index("b") < recorder.begun.index("c")
    assert set(recorder.begun) == {"a", "b", "c", "d"}
    assert recorder.reported.index(("a", "ready")) < recorder.reported.index(("b", "starting"))


def test_what_is_not_essential_is_begun_and_not_awaited() -> None:
    recorder = Recorder()
    slow = recorder.step("slow", "a", polls=10_000, essential=False)
    start_in_order([recorder.step("a"), slow], recorder.report)
    assert recorder.begun == ["a", "slow"]
    assert ("slow", "ready") not in recorder.reported


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STALL_TIMEOUT_SECONDS", 0.2)
    recorder = Recorder()
    with pytest.raises(LocalError, match="slow is not ready after"):
        start_in_order([recorder.step("slow", polls=10_000)], recorder.report)


def test_who_works_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_is_not_essential_may_fail_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "STALL_TIMEOUT_SECONDS", 0.2)
    recorder = Recorder()
    broken = recorder.step("broken", polls=10_000, essential=False)
    start_in_order([recorder.step("daemon", "broken"), broken], recorder.report)
    assert recorder.begun == ["broken", "daemon"]
    assert ("broken", "failed") in recorder.reported
