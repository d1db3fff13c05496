"""The body of an answer, decoded as it comes and no further than it may be long."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.errors import AnswerTooLargeError, MalformedBodyError, TransportError

if TYPE_CHECKING:
    import httpx

_GZIP = 16 + zlib.MAX_WBITS
_PLAIN = frozenset({"", "identity"})


async def read_body(response: httpx.Response, most_bytes: int) -> bytes:
    """Read a streamed answer: httpx itself would decode a bomb of gzip whole.

    Raises:
        AnswerTooLargeError: it is longer than `most_bytes`, as sent or decoded.
        MalformedBodyError: it is encoded as it was not asked for.
        TransportError: what should be gzip is none, or ends early.
        httpx.RequestError: the connection broke, or was silent too long.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in {*_PLAIN, "gzip", "x-gzip"}:
        msg = f"the answer is encoded in a way that was not asked for: {encoding[:40]!r}"
        raise MalformedBodyError(msg)
    decoder = _Plain(most_bytes) if encoding in _PLAIN else _Gzip(most_bytes)
    received = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        if received > most_bytes:
            raise _too_large(most_bytes)
        decoder.feed(chunk)
    return decoder.end()


class _Plain:
    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._body += chunk

    def end(self) -> bytes:
        return bytes(self._body)


class _Gzip(_Plain):
    """One member after the other; each step decodes at most one byte more than there is room for."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(most_bytes)
        self._member = zlib.decompressobj(_GZIP)

    def feed(self, chunk: bytes) -> None:
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                self._body += self._member.decompress(chunk, self._most_bytes - len(self._body) + 1)
            except zlib.error as error:
                raise TransportError(f"what should be gzip is none: {error}") from error
            if len(self._body) > self._most_bytes:
                raise _too_large(self._most_bytes)
            chunk = self._member.unused_data

    def end(self) -> bytes:
        if not self._member.eof:
            raise TransportError("the answer ends early: its gzip is not complete")
        return super().end()


def _too_large(most_bytes: int) -> AnswerTooLargeError:
    return AnswerTooLargeError(f"the answer is longer than {most_bytes / 2**20:.0f} MB")
