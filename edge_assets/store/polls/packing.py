"""Columns and bodies as compressed bytes: what `polls`, `payloads`, `keyframes` and `fair_prices` store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

import zstandard

from ml.quotes import decode_columns, encode_columns

if TYPE_CHECKING:
    from ml.quotes.batch import ColumnBatch

BatchT = TypeVar("BatchT", bound="ColumnBatch")

COMPRESSION_LEVEL = 3


class _Zstd(threading.local):
    """A compressor and a decompressor for each thread: they are costly to create and not thread-safe."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd = _Zstd()


def pack(body: bytes) -> bytes:
    """Compress bytes."""
    return _zstd.compressor.compress(body)


def unpack(packed: bytes) -> bytes:
    """Decompress what `pack` compressed."""
    return _zstd.decompressor.decompress(packed)


def pack_columns(batch: ColumnBatch) -> bytes:
    """Encode and compress a batch of columns."""
    return pack(encode_columns(batch))


def unpack_columns(batch_type: type[BatchT], packed: bytes) -> BatchT:
    """Decode what `pack_columns` packed; the arrays are read-only."""
    return decode_columns(batch_type, unpack(packed))
