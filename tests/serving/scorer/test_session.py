"""Restarts of the scorer: however one worker ends, the next continues where it stopped."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from edge_assets.store.alerts import streams
from edge_assets.store.polls import as_of
from serving.scorer.__main__ import open_worker
from serving.scorer.redis_streams import StreamLink
from tests.support.scorer_harness import wait

if TYPE_CHECKING:
    from ml.quotes import PollChanges
    from tests.support.scorer_harness import ScorerHarness


def test_a_published_poll_becomes_an_alert_in_table_and_stream(harness: ScorerHarness) -> None:
    polls = [harness.poll(), harness.raise_price()]
    harness.publish(*polls)

    harness.run_scorer()

    harness.assert_whole(polls)
    (message,) = [m for m in harness.messages() if m["kind"] == "value"]
    assert (message["state"], message["book"], message["outcome"], message["price"]) == (
        "opened", "fanduel", "home", 2.2,
    )  # fmt: skip
    assert (message["poll_id"], message["tick_poll_id"]) == (polls[1].poll_id, polls[1].poll_id)
    assert message["detection_latency_ms"] > 0
    assert message["late_s"] is None


def test_polls_are_scored_as_they_arrive(harness: ScorerHarness) -> None:
    polls: list[PollChanges] = []

    def another() -> bool:
        polls.extend(harness.poll_lively_market(1, seed=len(polls)))
        harness.publish(polls[-1])
        return len(polls) == 12

    harness.run_scorer(another)

    harness.assert_whole(polls[:-1])


def test_restarts_do_not_change_the_alerts(harness: ScorerHarness) -> None:
    polls = []
    for seed in range(4):
        part = harness.poll_lively_market(8, seed)
        harness.publish(*part)
        harness.run_scorer()
        polls += part
        harness.assert_whole(polls)
    assert {step[2] for step in harness.alert_steps()} == {"opened", "updated", "closed"}


def test_polls_lost_by_the_stream_are_read_from_the_database(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(10)
    harness.publish(*polls[:5])
    harness.run_scorer(lambda: harness.progress() >= polls[4].poll_id)
    harness.redis.delete(streams.CHANGES_STREAM)

    harness.run_scorer()

    harness.assert_whole(polls)


def test_repeated_and_late_entries_are_skipped(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(10)
    harness.publish(*polls, *polls[3:6])
    harness.run_scorer()
    again = iter([*polls, harness.poll()])

    def repeat() -> bool:
        """Publish polls that were scored long ago, then a new one."""
        if changes := next(again, None):
            harness.publish(changes)
        return changes is None and harness.is_settled()

    harness.run_scorer(repeat)
    harness.assert_table([*polls, as_of.load_poll_changes(harness.conn, harness.progress())])


def test_polls_skipped_by_the_stream_are_scored_first(harness: ScorerHarness) -> None:
    """They were trimmed, or lost when Redis was emptied, while the scorer stayed connected."""
    polls = harness.poll_lively_market(2)
    skipping = iter(range(3))

    def skip() -> bool:
        if next(skipping, None) is not None:
            polls.extend(harness.poll_lively_market(3, seed=len(polls)))
            harness.redis.flushall()
            harness.publish(polls[-1])
        return harness.is_settled()

    harness.run_scorer(skip)
    harness.assert_table(polls)


def test_committed_but_unpublished_alerts_are_published(
    harness: ScorerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise psycopg.OperationalError

    polls = harness.poll_lively_market(10)
    harness.publish(*polls)
    with ExitStack() as stack, monkeypatch.context() as patch:
        session = open_worker(harness.settings(), stack)
        patch.setattr(StreamLink, "publish_pending", lambda _: die() if harness.alert_steps() else None)
        with pytest.raises(psycopg.OperationalError):
            session.run(lambda: False)
    assert harness.alert_steps()
    assert harness.streamed_steps() == []

    harness.run_scorer()

    harness.assert_whole(polls)


def test_time_closes_alerts_without_a_poll(harness: ScorerHarness) -> None:
    harness.start_in(1.5)
    polls = [harness.poll(), harness.raise_price()]
    harness.publish(*polls)

    harness.run_scorer(lambda: {step[3] for step in harness.alert_steps()} == {None, "started"}, edge_feed="simulate")

    closed = [step for step in harness.alert_steps() if step[2] == "closed"]
    assert len(closed) == len(harness.alert_steps()) / 2
    assert harness.is_settled()
    assert harness.streamed_steps() == [step[:2] for step in harness.alert_steps()]


def test_in_a_replay_only_polls_advance_the_time(harness: ScorerHarness) -> None:
    harness.start_in(0.5)
    harness.publish(harness.poll(), harness.raise_price())
    harness.run_scorer()
    before = harness.alert_steps()
    waits = iter([False, False, True])

    harness.run_scorer(lambda: next(waits))

    assert harness.alert_steps() == before


def test_a_second_scorer_waits_for_the_first(harness: ScorerHarness) -> None:
    polls = harness.poll_lively_market(5)
    with ExitStack() as first:
        open_worker(harness.settings(), first)
        with harness.process() as second:
            wait(lambda: harness.count_waiting() == 1)
            assert second.poll() is None
            assert harness.progress() == 0
            first.close()
            wait(harness.is_settled)
    harness.assert_whole(polls)
