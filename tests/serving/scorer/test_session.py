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
    polls = [harness.poll(), harness.generous()]
    harness.publish(*polls)

    harness.life()

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
        polls.extend(harness.history(1, seed=len(polls)))
        harness.publish(polls[-1])
        return len(polls) == 12

    harness.life(another)

    harness.assert_whole(polls[:-1])


def test_restarts_do_not_change_the_alerts(harness: ScorerHarness) -> None:
    polls = []
    for seed in range(4):
        part = harness.history(8, seed)
        harness.publish(*part)
        harness.life()
        polls += part
        harness.assert_whole(polls)
    assert {step[2] for step in harness.story()} == {"opened", "updated", "closed"}


def test_polls_lost_by_the_stream_are_read_from_the_database(harness: ScorerHarness) -> None:
    polls = harness.history(10)
    harness.publish(*polls[:5])
    harness.life(lambda: harness.progress() >= polls[4].poll_id)
    harness.redis.delete(streams.CHANGES_STREAM)

    harness.life()

    harness.assert_whole(polls)


def test_repeated_and_late_entries_are_skipped(harness: ScorerHarness) -> None:
    polls = harness.history(10)
    harness.publish(*polls, *polls[3:6])
    harness.life()
    again = iter([*polls, harness.poll()])

    def repeat() -> bool:
        """Publish polls that were scored long ago, then a new one."""
        if changes := next(again, None):
            harness.publish(changes)
        return changes is None and harness.settled()

    harness.life(repeat)
    harness.assert_table([*polls, as_of.load_poll_changes(harness.conn, harness.progress())])


def test_polls_skipped_by_the_stream_are_scored_first(harness: ScorerHarness) -> None:
    """They were trimmed, or lost when Redis was emptied, while the scorer stayed connected."""
    polls = harness.history(2)
    skipping = iter(range(3))

    def skip() -> bool:
        if next(skipping, None) is not None:
            polls.extend(harness.history(3, seed=len(polls)))
            harness.redis.flushall()
            harness.publish(polls[-1])
        return harness.settled()

    harness.life(skip)
    harness.assert_table(polls)


def test_committed_but_unpublished_alerts_are_published(
    harness: ScorerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise psycopg.OperationalError

    polls = harness.history(10)
    harness.publish(*polls)
    with ExitStack() as stack, monkeypatch.context() as patch:
        session = open_worker(harness.settings(), stack)
        patch.setattr(StreamLink, "publish_pending", lambda _: die() if harness.story() else None)
        with pytest.raises(psycopg.OperationalError):
            session.run(lambda: False)
    assert harness.story()
    assert harness.streamed() == []

    harness.life()

    harness.assert_whole(polls)


def test_time_closes_alerts_without_a_poll(harness: ScorerHarness) -> None:
    harness.start_in(1.5)
    polls = [harness.poll(), harness.generous()]
    harness.publish(*polls)

    harness.life(lambda: {step[3] for step in harness.story()} == {None, "started"}, edge_feed="simulate")

    closed = [step for step in harness.story() if step[2] == "closed"]
    assert len(closed) == len(harness.story()) / 2
    assert harness.settled()
    assert harness.streamed() == [step[:2] for step in harness.story()]


def test_in_a_replay_only_polls_advance_the_time(harness: ScorerHarness) -> None:
    harness.start_in(0.5)
    harness.publish(harness.poll(), harness.generous())
    harness.life()
    before = harness.story()
    waits = iter([False, False, True])

    harness.life(lambda: next(waits))

    assert harness.story() == before


def test_a_second_scorer_waits_for_the_first(harness: ScorerHarness) -> None:
    polls = harness.history(5)
    with ExitStack() as first:
        open_worker(harness.settings(), first)
        with harness.process() as second:
            wait(lambda: harness.waiting() == 1)
            assert second.poll() is None
            assert harness.progress() == 0
            first.close()
            wait(harness.settled)
    harness.assert_whole(polls)
