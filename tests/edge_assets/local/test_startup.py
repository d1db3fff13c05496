from __future__ import annotations

import pytest

from edge_assets.local import startup
from edge_assets.local.errors import LocalError
from edge_assets.local.startup import Step, bring_up


class Recorder:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.reported: list[tuple[str, str]] = []

    def step(self, name: str, *after: str, looks: int = 1, essential: bool = True) -> Step:
        """A step that is ready at the `looks`-th look."""
        left = iter(range(looks - 1))
        return Step(name, after, lambda: self.begun.append(name), lambda: next(left, None) is None, essential)

    def report(self, name: str, state: str, _seconds: float) -> None:
        self.reported.append((name, state))


def test_a_step_begins_when_those_before_it_are_ready() -> None:
    recorder = Recorder()
    step = recorder.step
    bring_up([step("c", "a", "b"), step("a", looks=2), step("b", "a"), step("d", "not there")], recorder.report)
    assert recorder.begun.index("a") < recorder.begun.index("b") < recorder.begun.index("c")
    assert set(recorder.begun) == {"a", "b", "c", "d"}
    assert recorder.reported.index(("a", "ready")) < recorder.reported.index(("b", "starting"))


def test_what_is_not_essential_is_begun_and_not_awaited() -> None:
    recorder = Recorder()
    slow = recorder.step("slow", "a", looks=10_000, essential=False)
    bring_up([recorder.step("a"), slow], recorder.report)
    assert recorder.begun == ["a", "slow"]
    assert ("slow", "ready") not in recorder.reported


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "PATIENCE_SECONDS", 0.2)
    recorder = Recorder()
    with pytest.raises(LocalError, match="slow is not ready after"):
        bring_up([recorder.step("slow", looks=10_000)], recorder.report)


def test_who_works_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "PATIENCE_SECONDS", 0.2)
    looks = iter(range(8))
    slow = Step("slow", (), lambda: None, lambda: next(looks, None) is None, work=iter(range(100)).__next__)
    bring_up([slow], Recorder().report)
    assert next(looks, None) is None

    monkeypatch.setattr(startup, "LONGEST_SECONDS", 0.3)
    with pytest.raises(LocalError, match="endless is not ready after"):
        bring_up([Step("endless", (), lambda: None, lambda: False, work=iter(range(100)).__next__)], Recorder().report)


def test_what_is_not_essential_may_fail_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "PATIENCE_SECONDS", 0.2)
    recorder = Recorder()
    broken = recorder.step("broken", looks=10_000, essential=False)
    bring_up([recorder.step("daemon", "broken"), broken], recorder.report)
    assert recorder.begun == ["broken", "daemon"]
    assert ("broken", "failed") in recorder.reported
