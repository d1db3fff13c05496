"""Answers that could not be read are kept as received, each once, and not too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.store import unreadable
from edge_assets.store.unreadable import KEPT_ANSWERS, KEPT_BYTES, keep_unreadable, unreadable_answers

if TYPE_CHECKING:
    from tests.edge_assets.store.material import Desk

SECOND = 1_000_000


def test_an_answer_is_kept_byte_for_byte_and_counted(desk: Desk) -> None:
    body = b'{"message": "\x00\xff not a list"'
    for second in range(3):
        keep_unreadable(desk.conn, desk.sport, "odds-api", f"run-{second}", body, second * SECOND, "no\x00list")

    [answer] = unreadable_answers(desk.conn)
    assert (answer.body, answer.body_bytes, answer.times, answer.run_id) == (body, len(body), 3, "run-2")
    assert (answer.sport, answer.reason) == ("americanfootball_nfl", "no list")
    assert (answer.last_received_at - answer.first_received_at).total_seconds() == 2


def test_of_a_large_one_the_beginning_is_kept_and_of_many_the_newest(desk: Desk) -> None:
    large = bytes(KEPT_BYTES + 1)
    keep_unreadable(desk.conn, desk.sport, "odds-api", "run", large, SECOND, "large")
    assert [len(a.body) for a in unreadable_answers(desk.conn)] == [KEPT_BYTES]
    assert unreadable_answers(desk.conn)[0].body_bytes == len(large)

    for number in range(KEPT_ANSWERS + 1):
        keep_unreadable(desk.conn, desk.sport, "odds-api", "run", b"%d" % number, number * SECOND, "x" * 1_000)
    keep_unreadable(desk.conn, desk.other_sport, "odds-api", "run", b"1", SECOND, "")

    kept = [answer.body for answer in unreadable_answers(desk.conn) if answer.sport == "americanfootball_nfl"]
    assert kept == [b"%d" % number for number in range(KEPT_ANSWERS, 0, -1)]
    [other] = [answer for answer in unreadable_answers(desk.conn) if answer.sport == "icehockey_nhl"]
    assert other.reason == unreadable.NO_REASON
