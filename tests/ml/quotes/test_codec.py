from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.quotes import (
    EventStarts,
    MarketConfirmations,
    PollChanges,
    QuoteBatch,
    decode_changes,
    decode_columns,
    encode_changes,
    encode_columns,
)
from tests.support.column_strategies import KINDS, Columns, assert_same, columns, polls

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@given(data=st.data())
def test_columns_come_back_to_the_bit(kind: type[Columns], data: st.DataObject) -> None:
    batch = data.draw(columns(kind))
    assert_same(decode_columns(kind, encode_columns(batch)), batch)


@given(polls)
def test_polls_come_back_to_the_bit(poll: PollChanges) -> None:
    back = decode_changes(encode_changes(poll))
    for field in ("poll_id", "sport", "observed_at", "received_at", "run_id"):
        assert getattr(back, field) == getattr(poll, field)
    assert_same(back.quotes, poll.quotes)
    assert_same(back.confirmations, poll.confirmations)
    assert_same(back.starts, poll.starts)


@given(polls)
def test_equal_polls_have_equal_bytes(poll: PollChanges) -> None:
    assert encode_changes(decode_changes(encode_changes(poll))) == encode_changes(poll)


def test_strided_columns_are_packed_as_their_values() -> None:
    batch = EventStarts(np.arange(10, dtype="i4")[::3], np.arange(10, dtype="i8")[::-3])
    back = decode_columns(EventStarts, encode_columns(batch))
    assert back.event.tolist() == [0, 3, 6, 9]
    assert back.commence_at.tolist() == [9, 6, 3, 0]


def test_a_quote_takes_32_bytes() -> None:
    quotes = QuoteBatch.from_rows([(1, 2, 3, 4, 0.5, 1.91, 10)] * 1000)
    assert len(encode_columns(quotes)) < 1000 * 32 + 64


def test_decoded_columns_are_read_only() -> None:
    back = decode_columns(EventStarts, encode_columns(EventStarts.from_rows([(1, 2)])))
    with pytest.raises(ValueError, match="read-only"):
        back.event[0] = 9


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x90", b"not msgpack", msgspec.msgpack.encode([1, 2, 3])])
def test_bytes_that_are_not_an_entry_are_refused(junk: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_changes(junk)


def test_a_truncated_entry_is_refused() -> None:
    poll = PollChanges(
        1, "nfl", 2, 3, "run", QuoteBatch.empty(), MarketConfirmations.empty(), EventStarts.from_rows([(1, 2)])
    )
    data = encode_changes(poll)
    for length in range(len(data)):
        with pytest.raises(msgspec.DecodeError):
            decode_changes(data[:length])


def test_columns_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        decode_columns(MarketConfirmations, encode_columns(EventStarts.from_rows([(1, 2)])))
