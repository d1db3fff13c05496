"""Connection limits: how long a request may take to arrive, how large its head is, how many connections are open.

uvicorn has none of these limits, and requests that the `websockets` library refuses (with a header over 8 KB, say,
which the cookies of other programs on this address may add up to) it neither answers nor closes.
"""

from __future__ import annotations

import json
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from websockets.frames import CloseCode

from edge_assets.private_interfaces.uvicorn_protocols import HttpToolsProtocol, WebSocketsSansIOProtocol
from edge_assets.web.descriptors import descriptor_limit
from edge_assets.web.guard import is_loopback

if TYPE_CHECKING:
    import asyncio

MAX_HEADER_BYTES = 8_192
"""For one header with its name, the most that `websockets` accepts."""
MAX_HEAD_BYTES = 32_768
"""For the request line and all headers."""
MAX_HEADERS = 100
REQUEST_TIMEOUT_SECONDS = 10.0
"""From the connection, or the request's first byte, until the request is complete."""
UPLOAD_IDLE_SECONDS = 60.0
"""Between two parts of an upload, whose total time is not limited."""
LINGER_SECONDS = 2.0
"""Further input is discarded for this long: if closed at once, the response would be lost."""
MAX_REMOTE_CONNECTIONS = 128
"""Per remote address; the loopback address, which proxies use too, may have half of all connections. A new connection
beyond that takes the place of the one that has been idle for longest, so that no client shuts out others by waiting."""
MAX_STREAM_SHARE = 0.75
"""Of an address's connections: WebSockets are rightly idle for hours, and must leave room for requests."""
RESERVED_DESCRIPTORS = 64
"""Reserved for the database, Redis, files and logs."""
WARNING_INTERVAL_SECONDS = 10.0
HEAD_END = b"\r\n\r\n"
HEADERS_TOO_LARGE = (
    f"the request's headers are larger than {MAX_HEADER_BYTES // 1024} KB each, {MAX_HEAD_BYTES // 1024} KB in all or "
    f"{MAX_HEADERS} in number. Cookies of other programs on this address count: clear its cookies, or open the page "
    "under another name of this machine (http://localhost:... instead of http://127.0.0.1:...)"
)

logger = logging.getLogger(__name__)


class _RequestRejectedError(Exception):
    """Stops the parser."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """An HTTP connection with limits."""

    _warned_at = -WARNING_INTERVAL_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for a request, unless there are too many connections."""
        super().connection_made(transport)
        self._rejection: tuple[HTTPStatus, str] | None = None
        self._is_closing = False
        self._in_head = True
        self._head_bytes = 0
        self._tail = b""
        self._deadline: asyncio.TimerHandle | None = None
        self._used_at = time.monotonic()  # the loop's own clock counts milliseconds
        if problem := self._limit_problem():
            self._warn(problem)
            if not self._displace_idle():
                self._reject(HTTPStatus.SERVICE_UNAVAILABLE, problem)
                return
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Accept bytes within the limits of a request."""
        if self._is_closing:
            return
        self._used_at = time.monotonic()  # the loop's own clock counts milliseconds
        if self._in_head and self._is_head_too_large(data):
            self._reject(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LARGE)
            return
        if self._deadline is None:
            self._start_deadline()
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Continue with a request whose head is within the limits."""
        self._in_head = False
        sizes = [len(name) + len(value) + len(b": \r\n") for name, value in self.headers]
        if max([*sizes, len(self.url)], default=0) > MAX_HEADER_BYTES or len(sizes) > MAX_HEADERS:
            self._rejection = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, HEADERS_TOO_LARGE
            raise _RequestRejectedError
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the head of the next request."""
        self._cancel_deadline()
        self._in_head, self._head_bytes, self._tail = True, 0, b""
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Cancel the deadline, which covered only the upgrade request; too many streams are refused."""
        self._cancel_deadline()
        streams = sum(isinstance(one, WebSocketsSansIOProtocol) for one in self._of_same_address())
        if streams >= self._max_connections * MAX_STREAM_SHARE:
            problem = f"{streams} WebSockets from {self._address}"
            self._warn(problem)
            self._reject(HTTPStatus.SERVICE_UNAVAILABLE, problem)
            return
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Reject malformed and refused requests."""
        self._reject(*(self._rejection or (HTTPStatus.BAD_REQUEST, msg)))

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_TIMEOUT_SECONDS, self._on_deadline)

    def _cancel_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _on_deadline(self) -> None:
        message = f"no complete request within {REQUEST_TIMEOUT_SECONDS:.0f} seconds"
        if self._head_bytes or not self._in_head:
            self._reject(HTTPStatus.REQUEST_TIMEOUT, message)
        else:
            self.transport.close()

    def _is_head_too_large(self, data: bytes) -> bool:
        end = (self._tail + data).find(HEAD_END)
        self._head_bytes += len(data) if end < 0 else max(end - len(self._tail), 0)
        self._tail = (self._tail + data)[1 - len(HEAD_END) :]
        return self._head_bytes > MAX_HEAD_BYTES

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _max_connections(self) -> int:
        """How many connections this one's address may have."""
        return descriptor_limit() // 2 if is_loopback(self._address) else MAX_REMOTE_CONNECTIONS

    def _of_same_address(self) -> list[Any]:
        return [one for one in self.connections if (getattr(one, "client", None) or ("",))[0] == self._address]

    def _limit_problem(self) -> str | None:
        limit = descriptor_limit()
        if len(self.connections) > limit - RESERVED_DESCRIPTORS:
            return f"out of file descriptors: {len(self.connections)} connections, limit {limit}; raise `ulimit -n`"
        if len(self._of_same_address()) > self._max_connections:
            return f"more than {self._max_connections} connections from {self._address}"
        return None

    def _displace_idle(self) -> bool:
        """Close the connection of this address that has waited longest for a request; False if there is none."""
        others = (one for one in self._of_same_address() if one is not self and isinstance(one, LimitedHttpProtocol))
        longest = min((one for one in others if one.is_idle), key=lambda one: one._used_at, default=None)
        if longest is None:
            return False
        longest.transport.abort()
        self.connections.discard(longest)
        return True

    @property
    def is_idle(self) -> bool:
        """Whether no complete request is being answered."""
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn declares
        return self._in_head and not self._is_closing and (cycle is None or cycle.response_complete)

    def _warn(self, problem: str) -> None:
        now = time.monotonic()
        if now - LimitedHttpProtocol._warned_at >= WARNING_INTERVAL_SECONDS:
            LimitedHttpProtocol._warned_at = now
            logger.warning("connections are refused: %s", problem)

    def _reject(self, status: HTTPStatus, message: str) -> None:
        """Respond, and close once the client has had time to read the response."""
        if self._is_closing:
            return
        self._is_closing = True
        self._cancel_deadline()
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn declares
        if cycle is None or cycle.response_complete:  # otherwise a response is being sent
            self.transport.write(_build_response(status, message))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


class LimitedUploadProtocol(LimitedHttpProtocol):
    """An HTTP connection of a server that accepts uploads: after the head, only inactivity ends it."""

    def data_received(self, data: bytes) -> None:
        """Accept bytes; each part of an upload extends the deadline."""
        super().data_received(data)
        if not self._in_head and not self._is_closing:
            self._cancel_deadline()
            self._deadline = self.loop.call_later(UPLOAD_IDLE_SECONDS, self._on_deadline)


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection that answers malformed handshakes, and blames protocol errors on the client.

    Logged as server errors with a traceback, they would let any client fill the log.
    """

    def data_received(self, data: bytes) -> None:
        """Accept bytes; a handshake that the library refuses gets the library's response."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Pass on a message; text that is not UTF-8 closes the connection."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not is_valid_utf8(self.frames):
            self.frames = []
            self.conn.send_close(CloseCode.INVALID_DATA)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """Send; a complete refusal also completes the handshake, which uvicorn would report as missing."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True


def is_valid_utf8(frames: list[bytes]) -> bool:
    """Whether the frames together are UTF-8 text."""
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True


def _build_response(status: HTTPStatus, message: str) -> bytes:
    body = json.dumps({"detail": message}).encode()
    head: dict[str, Any] = {
        "content-type": "application/json",
        "content-length": len(body),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "connection": "close",
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + HEAD_END + body
