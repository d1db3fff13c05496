"""One GET of The Odds API: authenticated, retried where that can help, typed errors where it cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import httpx
import stamina

from edge_assets.feeds.odds_api.errors import (
    OddsApiError,
    RateLimitedError,
    RefusedRequestError,
    ServerFailedError,
    TransportError,
    refusal,
)
from edge_assets.feeds.odds_api.quota import Quota
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

TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class Retries:
    """Up to `attempts`; waits grow exponentially from `first_wait` to `longest_wait` seconds, plus jitter."""

    attempts: int = 5
    first_wait: float = 0.5
    longest_wait: float = 30.0
    jitter: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A complete answer: its body and what it was read as.

    `observed_at` is by the feed's clock, `received_at` by the wall clock, for latencies.
    """

    content: T
    body: bytes
    observed_at: datetime
    received_at: Micros
    quota: Quota
    request_ms: float


class Transport:
    """Connections to one API with one key; `quota` is what the last answer stated."""

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
        """Ask, and ask again after 429, 5xx, timeouts, broken connections and torn bodies.

        Raises:
            RefusedRequestError: the API's error, by its code.
            TransportError: no complete answer after all attempts.
            MalformedBodyError: whatever `read` does not take for an answer.
        """
        async for attempt in stamina.retry_context(
            on=self._wait,
            attempts=self._retries.attempts,
            timeout=None,
            wait_initial=self._retries.first_wait,
            wait_max=self._retries.longest_wait,
            wait_jitter=self._retries.jitter,
        ):
            with attempt:
                return await self._once(path, params, read, headers)
        raise AssertionError("a retry context returns or raises")

    async def _once(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        headers: Mapping[str, str] | None,
    ) -> Answer[T]:
        started = time.perf_counter()
        response = await self._send(path, params, headers)
        request_ms = (time.perf_counter() - started) * 1e3
        received_at = time.time_ns() // 1_000
        self._clock.hear(response.headers)
        observed_at = self._clock.now()
        self.quota = quota = Quota.of(response.headers)
        if not response.is_success:
            _refuse(response, quota)
        try:
            content = read(response.content)
        except OddsApiError as error:
            error.body = response.content
            raise
        return Answer(content, response.content, observed_at, received_at, quota, request_ms)

    async def _send(self, path: str, params: Mapping[str, str], headers: Mapping[str, str] | None) -> httpx.Response:
        secret = {"apiKey": self._key.get_secret_value()}
        try:
            return await self._http.get(path, params={**params, **secret}, headers=headers)
        except httpx.RequestError as error:
            failure = TransportError(redacted(f"{type(error).__name__} {error}".strip()))
        # outside of the handler: as a context, httpx's error would carry the request and with it the key
        raise failure

    def _wait(self, error: Exception) -> bool | float:
        """Whether to try again, or after how many seconds if the answer says so and we have that long."""
        if isinstance(error, RateLimitedError | ServerFailedError):
            if error.retry_after is None:
                return True
            return error.retry_after if error.retry_after <= self._retries.longest_wait else False
        return isinstance(error, TransportError)


def _refuse(response: httpx.Response, quota: Quota) -> NoReturn:
    error: RefusedRequestError = refusal(response.status_code, response.content, quota)
    error.retry_after = _retry_after(response.headers.get("retry-after"))
    raise error


def _retry_after(text: str | None) -> float | None:
    """Seconds, from seconds or an HTTP date."""
    if text is None:
        return None
    if text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
