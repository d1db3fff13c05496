"""Answers that could not be read are kept as received, each once, and not too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.store.polls import unreadable_responses
from edge_assets.store.polls.unreadable_responses import (
    MAX_ANSWERS_PER_SPORT,
    MAX_BODY_BYTES,
    load_unreadable_answers,
    write_unreadable_answer,
)

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

SECOND = 1_000_000


def test_an_answer_is_kept_byte_for_byte_and_counted(harness: StoreHarness) -> None:
    body = b'{"message": "\x00\xff not a list"'
    for second in range(3):
        write_unreadable_answer(
            harness.conn, harness.sport, "odds-api", f"run-{second}", body, second * SECOND, "no\x00list"
        )

    [answer] = load_unreadable_answers(harness.conn)
    assert (answer.body, answer.body_bytes, answer.times, answer.run_id) == (body, len(body), 3, "run-2")
    assert (answer.sport, answer.reason) == ("americanfootball_nfl", "no list")
    assert (answer.last_received_at - answer.first_received_at).total_seconds() == 2


def test_large_answers_are_truncated_and_only_the_newest_kept(harness: StoreHarness) -> None:
    large = bytes(MAX_BODY_BYTES + 1)
    write_unreadable_answer(harness.conn, harness.sport, "odds-api", "run", large, SECOND, "large")
    assert [len(a.body) for a in load_unreadable_answers(harness.conn)] == [MAX_BODY_BYTES]
    assert load_unreadable_answers(harness.conn)[0].body_bytes == len(large)

    for number in range(MAX_ANSWERS_PER_SPORT + 1):
        write_unreadable_answer(
            harness.conn, harness.sport, "odds-api", "run", b"%d" % number, number * SECOND, "x" * 1_000
        )
    write_unreadable_answer(harness.conn, harness.other_sport, "odds-api", "run", b"1", SECOND, "")

    kept = [answer.body for answer in load_unreadable_answers(harness.conn) if answer.sport == "americanfootball_nfl"]
    assert kept == [b"%d" % number for number in range(MAX_ANSWERS_PER_SPORT, 0, -1)]
    [other] = [answer for answer in load_unreadable_answers(harness.conn) if answer.sport == "icehockey_nhl"]
    assert other.reason == unreadable_responses.UNUSABLE_REASON
