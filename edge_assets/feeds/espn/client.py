"""ESPN's scoreboards over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import httpx2
import stamina

from edge_assets.feeds.certificates import create_ssl_context
from edge_assets.feeds.espn.errors import (
    EspnError,
    EspnMalformedBodyError,
    EspnSlowResponseError,
    EspnStatusError,
    EspnTransportError,
    UnknownLeagueError,
)
from edge_assets.feeds.espn.leagues import LEAGUES_BY_SPORT
from edge_assets.feeds.espn.results import parse_board
from edge_assets.feeds.http_bodies import MAX_BODY_BYTES, BodyError, CorruptBodyError, read_body
from edge_assets.feeds.odds_api.limits import REQUEST_TIMEOUT_SECONDS
from edge_assets.feeds.odds_api.transport import HTTP_TIMEOUT, RetryPolicy

if TYPE_CHECKING:
    from datetime import date

    from edge_assets.feeds.espn.leagues import EspnLeague
    from edge_assets.feeds.espn.results import EspnGame

MAX_EVENTS_PER_BOARD = 500
"""The `limit` parameter. Above it ESPN silently returns 25 events. No league plays more games in a day."""
ONE_DAY = timedelta(days=1)
_HTTP_TOO_MANY_REQUESTS, _HTTP_SERVER_ERROR = 429, 500


class EspnClient:
    """Scoreboards by The Odds API's sport keys. Use as an async context manager, or call `aclose`."""

    def __init__(
        self,
        base_url: str,
        *,
        retry_policy: RetryPolicy = RetryPolicy(max_attempts=3),  # noqa: B008 - immutable
        timeout: httpx2.Timeout = HTTP_TIMEOUT,
    ) -> None:
        self._retry_policy = retry_policy
        self._http = httpx2.AsyncClient(
            base_url=base_url, verify=create_ssl_context(), timeout=timeout, headers={"accept-encoding": "gzip"}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def games(self, sport: str, first: date, last: date) -> tuple[list[EspnGame], Counter[str]]:
        """The games of a range of days (US Eastern), finished or not, and counts of rejected parts by reason.

        ESPN rejects date ranges, so each day is one request. A game listed on two days counts once, and a day that
        fails does not affect the others. Retries after 429, 5xx, timeouts and broken connections.

        Raises:
            UnknownLeagueError: there is no ESPN league for this sport.
            EspnStatusError: an HTTP error, on every day.
            EspnTransportError: no complete response after all attempts, on every day.
            EspnMalformedBodyError: no day has a readable scoreboard within the size limit.
        """
        if (league := LEAGUES_BY_SPORT.get(sport)) is None:
            raise UnknownLeagueError(sport)
        games: dict[object, EspnGame] = {}
        rejected, failures = Counter[str](), []
        days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
        for day in days:
            try:
                found, day_rejected = await self._fetch_board(league, day)
            except EspnError as error:
                failures.append(error)
                rejected[error.reason] += 1
                continue
            rejected += day_rejected
            for game in found:
                games.setdefault(game.id or game[1:4], game)
        if failures and len(failures) == len(days):
            raise failures[-1]
        return list(games.values()), rejected

    async def _fetch_board(self, league: EspnLeague, day: date) -> tuple[list[EspnGame], Counter[str]]:
        params = {"dates": f"{day:%Y%m%d}", "limit": str(MAX_EVENTS_PER_BOARD)}
        if league.group is not None:
            params["groups"] = str(league.group)
        return parse_board(await self._get(f"/{league.path}/scoreboard", params))

    async def _get(self, path: str, params: dict[str, str]) -> bytes:
        async for attempt in stamina.retry_context(
            on=_is_retryable,
            attempts=self._retry_policy.max_attempts,
            timeout=None,
            wait_initial=self._retry_policy.initial_wait_seconds,
            wait_max=self._retry_policy.max_wait_seconds,
            wait_jitter=self._retry_policy.jitter_seconds,
        ):
            with attempt:
                return await self._attempt(path, params)
        raise AssertionError("a retry context returns or raises")

    async def _attempt(self, path: str, params: dict[str, str]) -> bytes:
        try:
            async with (
                asyncio.timeout(REQUEST_TIMEOUT_SECONDS),
                self._http.stream("GET", path, params=params) as response,
            ):
                if not response.is_success:
                    raise EspnStatusError(response.status_code)
                return await read_body(response, MAX_BODY_BYTES)
        except TimeoutError as error:
            raise EspnSlowResponseError(f"no complete response within {REQUEST_TIMEOUT_SECONDS:.0f} s") from error
        except (httpx2.RequestError, CorruptBodyError) as error:
            raise EspnTransportError(f"{type(error).__name__} {error}".strip()) from error
        except BodyError as error:
            raise EspnMalformedBodyError(str(error)) from error


def _is_retryable(error: Exception) -> bool:
    if isinstance(error, EspnStatusError):
        return error.status == _HTTP_TOO_MANY_REQUESTS or error.status >= _HTTP_SERVER_ERROR
    return isinstance(error, EspnTransportError) and not isinstance(error, EspnSlowResponseError)
