"""Responses that could not be read are kept as received, each once, and not too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.store.polls import unreadable_responses
from edge_assets.store.polls.unreadable_responses import (
    MAX_BODY_BYTES,
    MAX_RESPONSES_PER_SPORT,
    load_unreadable_responses,
    write_unreadable_response,
)
from ml.quotes import MICROS_PER_SECOND

if TYPE_CHECKING:
    from tests.support.poll_factories import StoreHarness

SECOND = MICROS_PER_SECOND


def test_a_response_is_kept_byte_for_byte_and_counted(harness: StoreHarness) -> None:
    body = b'{"message": "\x00\xff not a list"'
    for second in range(3):
        write_unreadable_response(
            harness.conn, harness.sport, "odds-api", f"run-{second}", body, second * SECOND, "no\x00list"
        )

    [response] = load_unreadable_responses(harness.conn)
    assert (response.body, response.body_bytes, response.times, response.run_id) == (body, len(body), 3, "run-2")
    assert (response.sport, response.reason) == ("americanfootball_nfl", "no list")
    assert (response.last_received_at - response.first_received_at).total_seconds() == 2


def test_large_responses_are_truncated_and_only_the_newest_kept(harness: StoreHarness) -> None:
    large = bytes(MAX_BODY_BYTES + 1)
    write_unreadable_response(harness.conn, harness.sport, "odds-api", "run", large, SECOND, "large")
    assert [len(a.body) for a in load_unreadable_responses(harness.conn)] == [MAX_BODY_BYTES]
    assert load_unreadable_responses(harness.conn)[0].body_bytes == len(large)

    for number in range(MAX_RESPONSES_PER_SPORT + 1):
        write_unreadable_response(
            harness.conn, harness.sport, "odds-api", "run", b"%d" % number, number * SECOND, "x" * 1_000
        )
    write_unreadable_response(harness.conn, harness.other_sport, "odds-api", "run", b"1", SECOND, "")

    kept = [
        response.body
        for response in load_unreadable_responses(harness.conn)
        if response.sport == "americanfootball_nfl"
    ]
    assert kept == [b"%d" % number for number in range(MAX_RESPONSES_PER_SPORT, 0, -1)]
    [other] = [response for response in load_unreadable_responses(harness.conn) if response.sport == "icehockey_nhl"]
    assert other.reason == unreadable_responses.UNUSABLE_REASON
