"""Authenticated GETs of The Odds API, with retries and typed errors."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import httpx2
import stamina

from edge_assets.feeds.certificates import create_ssl_context
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES
from edge_assets.feeds.odds_api.bodies import read_body
from edge_assets.feeds.odds_api.errors import (
    ApiStatusError,
    InvalidJsonError,
    MalformedBodyError,
    OddsApiError,
    RateLimitedError,
    ServerError,
    SlowResponseError,
    TransportError,
    UnreachableError,
    error_from_response,
)
from edge_assets.feeds.odds_api.limits import MAX_ERROR_BODY_BYTES, REQUEST_TIMEOUT_SECONDS
from edge_assets.feeds.odds_api.quota import NO_SPENDING, UNKNOWN_QUOTA, Quota, Spending
from edge_assets.feeds.odds_api.redaction import redact, redact_http_logs, redact_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import SecretStr

    from edge_assets.core.clock import Clock
    from ml.quotes import Micros

T = TypeVar("T")

MAX_CONNECTIONS = 4
"""Clients of this API report 429s from eight concurrent calls on; four is the usual choice."""

HTTP_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
"""With one retry, a hanging feed is reported within half a minute."""
MIN_THREADED_BODY_BYTES = 2**20
"""Larger bodies are read in a thread, so that other sports are not delayed."""
NOT_SENT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
"""Errors raised before anything was sent."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Up to `max_attempts`; waits grow exponentially from `initial_wait_seconds` to `max_wait_seconds`, plus jitter.

    A request whose failed attempts were, or may have been, charged is repeated at most once.
    """

    max_attempts: int = 3
    initial_wait_seconds: float = 0.5
    max_wait_seconds: float = 30.0
    jitter_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class ApiResponse(Generic[T]):
    """A complete response: its body and the content read from it.

    `observed_at` is by the feed's clock, `received_at` by the wall clock, for latencies. `wasted` is the cost of failed
    attempts before it. `stated_at` is the time that the server states (`Date`), if it does.
    """

    content: T
    body: bytes
    observed_at: datetime
    received_at: Micros
    quota: Quota
    request_ms: float
    wasted: Spending = NO_SPENDING
    stated_at: datetime | None = None


class Transport:
    """Connections to one API with one key; `quota` is what the last response stated, including errors."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        clock: Clock,
        retry_policy: RetryPolicy = RetryPolicy(),
        timeout: httpx2.Timeout = HTTP_TIMEOUT,
    ) -> None:
        redact_http_logs()
        self.quota = Quota()
        self._key = key
        self._clock = clock
        self._retry_policy = retry_policy
        self._http = httpx2.AsyncClient(
            base_url=base_url,
            verify=create_ssl_context(),
            timeout=timeout,
            limits=httpx2.Limits(max_connections=MAX_CONNECTIONS),
            headers={"accept-encoding": "gzip"},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse[T]:
        """Send a request; retry after 429, 5xx, timeouts and broken connections, and once after an unreadable body.

        Raises `OddsApiError`s, whose `spending` is that of all attempts and whose `quota` is the latest stated:

            ApiStatusError: the API's error, by its code.
            TransportError: no complete response after all attempts.
            MalformedBodyError: `read` rejected the body.
        """
        wasted, stated = NO_SPENDING, UNKNOWN_QUOTA

        def retry(error: Exception) -> bool | float:
            nonlocal wasted, stated
            if not isinstance(error, OddsApiError):
                return False
            wasted = error.spending = wasted.add(error.quota, is_charged=may_be_charged(error))
            stated = error.quota = error.quota.after(stated)
            return self._retry_delay(error, wasted)

        async for attempt in stamina.retry_context(
            on=retry,
            attempts=self._retry_policy.max_attempts,
            timeout=None,
            wait_initial=self._retry_policy.initial_wait_seconds,
            wait_max=self._retry_policy.max_wait_seconds,
            wait_jitter=self._retry_policy.jitter_seconds,
        ):
            with attempt:
                response = await self._attempt(path, params, read, headers)
                return replace(response, wasted=wasted, quota=response.quota.after(stated))
        raise AssertionError("a retry context returns or raises")

    async def _attempt(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        headers: Mapping[str, str] | None,
    ) -> ApiResponse[T]:
        received = _ReceivedHeaders()
        try:
            started = time.perf_counter()
            body = await self._send(path, params, headers, received)
            request_ms = (time.perf_counter() - started) * 1e3
            received_at = time.time_ns() // 1_000
            self._clock.observe_headers(received.headers)
            observed_at = self._clock.now()
            if not received.is_success:
                # an API or a proxy may repeat the request in its message
                _raise_api_error(received, redact_key(body, self._key.get_secret_value()))
            content = await _read_content(read, body)
        except OddsApiError as error:
            error.quota = received.quota
            raise
        stated_at = _parse_http_date(received.headers.get("date"))
        return ApiResponse(content, body, observed_at, received_at, received.quota, request_ms, stated_at=stated_at)

    async def _send(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None, received: _ReceivedHeaders
    ) -> bytes:
        secret = {"apiKey": self._key.get_secret_value()}
        failure: TransportError
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT_SECONDS),
                self._http.stream("GET", path, params={**params, **secret}, headers=headers) as response,
            ):
                self._record_headers(response, received)
                return await (
                    read_body(response, MAX_BODY_BYTES) if response.is_success else _read_error_body(response)
                )
        except TimeoutError:
            failure = SlowResponseError(f"no complete response within {REQUEST_TIMEOUT_SECONDS:.0f} s")
        except NOT_SENT_ERRORS as error:
            failure = UnreachableError(redact(f"{type(error).__name__} {error}".strip()))
        except httpx2.RequestError as error:
            failure = TransportError(redact(f"{type(error).__name__} {error}".strip()))
        # outside the handler: httpx2's error, as context, would carry the request and with it the key
        raise failure

    def _record_headers(self, response: httpx2.Response, received: _ReceivedHeaders) -> None:
        """Record the headers before the body is read."""
        received.status, received.headers = response.status_code, response.headers
        self.quota = received.quota = Quota.from_headers(response.headers)

    def _retry_delay(self, error: OddsApiError, wasted: Spending) -> bool | float:
        """Whether to retry, or after how many seconds if the response says so and the wait is short enough."""
        if isinstance(error, MalformedBodyError | SlowResponseError) and not isinstance(error, InvalidJsonError):
            return False
        if wasted.responses > 1:
            return False
        if isinstance(error, RateLimitedError | ServerError):
            if error.retry_after_seconds is None:
                return True
            return (
                error.retry_after_seconds if error.retry_after_seconds <= self._retry_policy.max_wait_seconds else False
            )
        return isinstance(error, TransportError | InvalidJsonError)


async def _read_error_body(response: httpx2.Response) -> bytes:
    """The body of an error response; empty if it is too long or malformed."""
    try:
        return await read_body(response, MAX_ERROR_BODY_BYTES)
    except MalformedBodyError:
        return b""


@dataclass(slots=True)
class _ReceivedHeaders:
    """The headers of a response; defaults until they arrive."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    quota: Quota = UNKNOWN_QUOTA

    @property
    def is_success(self) -> bool:
        return httpx2.codes.is_success(self.status)


def may_be_charged(error: OddsApiError) -> bool:
    """Whether the API may have charged a request that failed with this error without stating a cost."""
    return not isinstance(error, UnreachableError | ApiStatusError)


async def _read_content(read: Callable[[bytes], T], body: bytes) -> T:
    """Read a body, in a thread if it is large; errors carry the body."""
    try:
        return await asyncio.to_thread(read, body) if len(body) > MIN_THREADED_BODY_BYTES else read(body)
    except OddsApiError as error:
        error.body = body
        raise


def _raise_api_error(received: _ReceivedHeaders, body: bytes) -> NoReturn:
    error: ApiStatusError = error_from_response(received.status, body, received.quota)
    error.retry_after_seconds = _parse_retry_after(received.headers.get("retry-after"))
    raise error


def _parse_retry_after(text: str | None) -> float | None:
    """Seconds, from seconds or an HTTP date."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _parse_http_date(text: str | None) -> datetime | None:
    """The time of a `Date` header; None if there is none, or none that can be read."""
    try:
        stated = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
