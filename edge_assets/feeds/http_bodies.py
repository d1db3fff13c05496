"""Read the body of an HTTP response, decoding incrementally up to a size limit."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

MAX_BODY_BYTES = 32 * 2**20
"""Of a decoded response. The largest captured one has 4 MB."""
_GZIP_WBITS = 16 + zlib.MAX_WBITS
_PLAIN_ENCODINGS = frozenset({"", "identity"})


class BodyError(Exception):
    """A body that cannot be read."""


class BodyTooLargeError(BodyError):
    """The body exceeds the limit, as sent or decoded."""


class BodyEncodingError(BodyError):
    """The body has an unexpected content encoding."""


class CorruptBodyError(BodyError):
    """The gzip stream is invalid or truncated."""


class SlowBodyError(BodyError):
    """The body was not complete by the deadline."""


async def read_body(response: httpx2.Response, max_bytes: int) -> bytes:
    """Read a streamed response. httpx2 itself would decode a gzip bomb completely.

    Raises:
        BodyTooLargeError, BodyEncodingError, CorruptBodyError: there is no valid body of at most `max_bytes`.
        httpx2.RequestError: the connection broke, or was silent too long.
    """
    decoder = _create_decoder(response, max_bytes)
    async for chunk in response.aiter_raw():
        decoder.feed(chunk)
    return decoder.finish()


def read_body_until(response: httpx2.Response, max_bytes: int, deadline: float) -> bytes:
    """Read a streamed response, blocking, until a `deadline` on the monotonic clock.

    Raises like `read_body`, and `SlowBodyError`, at most one read timeout after the deadline.
    """
    decoder = _create_decoder(response, max_bytes)
    for chunk in response.iter_raw():
        decoder.feed(chunk)
        if time.monotonic() > deadline:
            raise SlowBodyError("the response is too slow")
    return decoder.finish()


def _create_decoder(response: httpx2.Response, max_bytes: int) -> _PlainDecoder:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in _PLAIN_ENCODINGS:
        return _PlainDecoder(max_bytes)
    if encoding in {"gzip", "x-gzip"}:
        return _GzipDecoder(max_bytes)
    raise BodyEncodingError(f"unexpected content encoding: {encoding[:40]!r}")


class _PlainDecoder:
    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._received = 0
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._received += len(chunk)
        self._check_length(self._received)
        self._decode(chunk)

    def finish(self) -> bytes:
        return bytes(self._body)

    def _decode(self, chunk: bytes) -> None:
        self._body += chunk

    def _check_length(self, length: int) -> None:
        if length > self._max_bytes:
            raise BodyTooLargeError(f"the response exceeds {self._max_bytes / 2**20:.0f} MB")


class _GzipDecoder(_PlainDecoder):
    """Decodes gzip members in sequence; each step decodes at most one byte beyond the limit."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(max_bytes)
        self._member = zlib.decompressobj(_GZIP_WBITS)

    def _decode(self, chunk: bytes) -> None:
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_WBITS)
            try:
                self._body += self._member.decompress(chunk, self._max_bytes - len(self._body) + 1)
            except zlib.error as error:
                raise CorruptBodyError(f"invalid gzip: {error}") from error
            self._check_length(len(self._body))
            chunk = self._member.unused_data

    def finish(self) -> bytes:
        if not self._member.eof:
            raise CorruptBodyError("truncated gzip")
        return super().finish()
