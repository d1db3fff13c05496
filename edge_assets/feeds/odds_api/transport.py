"""One GET of The Odds API: authenticated, retried where that can help, typed errors where it cannot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import httpx
import stamina

from edge_assets.feeds.bodies import MAX_BODY_BYTES
from edge_assets.feeds.odds_api.bodies import read_body
from edge_assets.feeds.odds_api.errors import (
    MalformedBodyError,
    OddsApiError,
    RateLimitedError,
    RefusedRequestError,
    ServerFailedError,
    SlowAnswerError,
    TornBodyError,
    TransportError,
    UnreachableError,
    refusal,
)
from edge_assets.feeds.odds_api.limits import MAX_REFUSAL_BYTES, REQUEST_SECONDS
from edge_assets.feeds.odds_api.quota import NOTHING_SPENT, NOTHING_STATED, Quota, Spending
from edge_assets.feeds.odds_api.redaction import redact_http_logs, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from edge_assets.clock import Clock
    from ml.quotes import Micros

T = TypeVar("T")

MAX_CONNECTIONS = 4
"""Clients of this API saw 429s from eight concurrent calls on; three settled on four."""

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
"""With a repeat, a feed that hangs is told within half a minute."""
LONG_BYTES = 2**20
"""A body that is longer is read in a thread, so that other sports go on meanwhile."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""What can go wrong before anything was asked."""


@dataclass(frozen=True, slots=True)
class Retries:
    """Up to `attempts`; waits grow exponentially from `first_wait` to `longest_wait` seconds, plus jitter.

    What was, or may have been, paid for without being of use is asked for once more at most.
    """

    attempts: int = 3
    first_wait: float = 0.5
    longest_wait: float = 30.0
    jitter: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A complete answer: its body and what it was read as.

    `observed_at` is by the feed's clock, `received_at` by the wall clock, for latencies. `wasted` is what the answers
    before it cost, which were of no use.
    """

    content: T
    body: bytes
    observed_at: datetime
    received_at: Micros
    quota: Quota
    request_ms: float
    wasted: Spending = NOTHING_SPENT


class Transport:
    """Connections to one API with one key; `quota` is what the last answer stated, be it a refusal."""

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        clock: Clock,
        retries: Retries = Retries(),
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        redact_http_logs()
        self.quota = Quota()
        self._key = key
        self._clock = clock
        self._retries = retries
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS),
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
    ) -> Answer[T]:
        """Ask, and ask again after 429, 5xx, timeouts and broken connections; once more after an unreadable body.

        Raises `OddsApiError`s, whose `spending` is that of all attempts, and `quota` what the newest of them stated:

            RefusedRequestError: the API's error, by its code.
            TransportError: no complete answer after all attempts.
            MalformedBodyError: whatever `read` does not take for an answer.
        """
        wasted, stated = NOTHING_SPENT, NOTHING_STATED

        def retry(error: Exception) -> bool | float:
            nonlocal wasted, stated
            if not isinstance(error, OddsApiError):
                return False
            wasted = error.spending = wasted.plus(error.quota, is_charged=may_be_charged(error))
            stated = error.quota = error.quota.after(stated)
            return self._wait(error, wasted)

        async for attempt in stamina.retry_context(
            on=retry,
            attempts=self._retries.attempts,
            timeout=None,
            wait_initial=self._retries.first_wait,
            wait_max=self._retries.longest_wait,
            wait_jitter=self._retries.jitter,
        ):
            with attempt:
                answer = await self._once(path, params, read, headers)
                return replace(answer, wasted=wasted, quota=answer.quota.after(stated))
        raise AssertionError("a retry context returns or raises")

    async def _once(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        headers: Mapping[str, str] | None,
    ) -> Answer[T]:
        heard = _Heard()
        try:
            started = time.perf_counter()
            body = await self._send(path, params, headers, heard)
            request_ms = (time.perf_counter() - started) * 1e3
            received_at = time.time_ns() // 1_000
            self._clock.hear(heard.headers)
            observed_at = self._clock.now()
            if not heard.is_success:
                _refuse(heard, body)
            content = await _contents(read, body)
        except OddsApiError as error:
            error.quota = heard.quota
            raise
        return Answer(content, body, observed_at, received_at, heard.quota, request_ms)

    async def _send(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None, heard: _Heard
    ) -> bytes:
        secret = {"apiKey": self._key.get_secret_value()}
        failure: TransportError
        try:
            async with (
                asyncio.timeout(REQUEST_SECONDS),
                self._http.stream("GET", path, params={**params, **secret}, headers=headers) as response,
            ):
                self._hear(response, heard)
                return await (read_body(response, MAX_BODY_BYTES) if response.is_success else _explanation(response))
        except TimeoutError:
            failure = SlowAnswerError(f"no complete answer within {REQUEST_SECONDS:.0f} s")
        except NOT_SENT as error:
            failure = UnreachableError(redacted(f"{type(error).__name__} {error}".strip()))
        except httpx.RequestError as error:
            failure = TransportError(redacted(f"{type(error).__name__} {error}".strip()))
        # outside of the handler: as a context, httpx's error would carry the request and with it the key
        raise failure

    def _hear(self, response: httpx.Response, heard: _Heard) -> None:
        """Take note of what the headers say, before the body comes or fails to."""
        heard.status, heard.headers = response.status_code, response.headers
        self.quota = heard.quota = Quota.of(response.headers)

    def _wait(self, error: OddsApiError, wasted: Spending) -> bool | float:
        """Whether to try again, or after how many seconds if the answer says so and we have that long."""
        if isinstance(error, MalformedBodyError | SlowAnswerError) and not isinstance(error, TornBodyError):
            return False
        if wasted.answers > 1:
            return False
        if isinstance(error, RateLimitedError | ServerFailedError):
            if error.retry_after is None:
                return True
            return error.retry_after if error.retry_after <= self._retries.longest_wait else False
        return isinstance(error, TransportError | TornBodyError)


async def _explanation(response: httpx.Response) -> bytes:
    """Why there is no answer; nothing, where that takes too many words."""
    try:
        return await read_body(response, MAX_REFUSAL_BYTES)
    except MalformedBodyError:
        return b""


@dataclass(slots=True)
class _Heard:
    """What the headers of an answer say; nothing until they have come."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    quota: Quota = NOTHING_STATED

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)


def may_be_charged(error: OddsApiError) -> bool:
    """Whether the API may have counted credits for a request that failed so and said nothing of them."""
    return not isinstance(error, UnreachableError | RefusedRequestError)


async def _contents(read: Callable[[bytes], T], body: bytes) -> T:
    """What an answer says, read beside the loop where it is long; an error that it raises holds the body."""
    try:
        return await asyncio.to_thread(read, body) if len(body) > LONG_BYTES else read(body)
    except OddsApiError as error:
        error.body = body
        raise


def _refuse(heard: _Heard, body: bytes) -> NoReturn:
    error: RefusedRequestError = refusal(heard.status, body, heard.quota)
    error.retry_after = _retry_after(heard.headers.get("retry-after"))
    raise error


def _retry_after(text: str | None) -> float | None:
    """Seconds, from seconds or an HTTP date."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
