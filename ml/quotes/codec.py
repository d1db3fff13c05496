"""Compact bytes for column batches: a msgpack envelope around raw little-endian arrays.

The stream carries one packed poll per entry, because one message per price would be a hundred times slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from ml.quotes.batch import EventStarts, MarketConfirmations, PollChanges, QuoteBatch

if TYPE_CHECKING:
    from ml.quotes.batch import ColumnBatch

    C = TypeVar("C", bound=ColumnBatch)
else:
    C = TypeVar("C")


class _PollEnvelope(msgspec.Struct, array_like=True):
    poll_id: int
    sport: str
    observed_at: int
    received_at: int
    run_id: str
    quotes: tuple[bytes, ...]
    confirmations: tuple[bytes, ...]
    starts: tuple[bytes, ...]


_encoder = msgspec.msgpack.Encoder()
_envelope_decoder = msgspec.msgpack.Decoder(_PollEnvelope)
_columns_decoder = msgspec.msgpack.Decoder(tuple[bytes, ...])


def _pack(batch: ColumnBatch) -> tuple[bytes, ...]:
    return tuple(np.ascontiguousarray(c).tobytes() for c in batch.columns())


def _unpack(batch_type: type[C], packed: tuple[bytes, ...]) -> C:
    return batch_type(*(np.frombuffer(b, dtype=f"<{t}") for b, t in zip(packed, batch_type.DTYPES, strict=True)))


def encode_columns(batch: ColumnBatch) -> bytes:
    """Pack one batch of columns."""
    return _encoder.encode(_pack(batch))


def decode_columns(batch_type: type[C], data: bytes) -> C:
    """Unpack what `encode_columns` packed; the arrays are read-only views of `data`."""
    return _unpack(batch_type, _columns_decoder.decode(data))


def encode_changes(changes: PollChanges) -> bytes:
    """Pack a poll for the stream."""
    return _encoder.encode(
        _PollEnvelope(
            changes.poll_id,
            changes.sport,
            changes.observed_at,
            changes.received_at,
            changes.run_id,
            _pack(changes.quotes),
            _pack(changes.confirmations),
            _pack(changes.starts),
        )
    )


def decode_changes(data: bytes) -> PollChanges:
    """Unpack a stream entry.

    Raises `msgspec.DecodeError` if the bytes are not an entry.
    """
    e = _envelope_decoder.decode(data)
    return PollChanges(
        e.poll_id,
        e.sport,
        e.observed_at,
        e.received_at,
        e.run_id,
        _unpack(QuoteBatch, e.quotes),
        _unpack(MarketConfirmations, e.confirmations),
        _unpack(EventStarts, e.starts),
    )
