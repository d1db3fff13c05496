"""ESPN's scoreboards over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import httpx
import stamina

from edge_assets.feeds.bodies import MAX_BODY_BYTES, BodyError, BrokenBodyError, read_body
from edge_assets.feeds.espn.errors import (
    EspnError,
    MalformedBodyError,
    RefusedError,
    SlowAnswerError,
    TransportError,
    UnknownLeagueError,
)
from edge_assets.feeds.espn.leagues import LEAGUES
from edge_assets.feeds.espn.results import board_games
from edge_assets.feeds.odds_api.limits import REQUEST_SECONDS
from edge_assets.feeds.odds_api.transport import TIMEOUT, Retries

if TYPE_CHECKING:
    from datetime import date

    from edge_assets.feeds.espn.leagues import League
    from edge_assets.feeds.espn.results import EspnGame

MOST_EVENTS = 500
"""Of a board: with a higher limit ESPN answers with 25 events, and says nothing. No league plays more on a day."""
DAY = timedelta(days=1)
_TOO_MANY, _SERVER = 429, 500


class EspnClient:
    """Scoreboards by The Odds API's sport keys. Use as an async context manager, or call `aclose`."""

    def __init__(
        self,
        base_url: str,
        *,
        retries: Retries = Retries(attempts=3),  # noqa: B008 - immutable
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._retries = retries
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout, headers={"accept-encoding": "gzip"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def games(self, sport: str, first: date, last: date) -> tuple[list[EspnGame], Counter[str]]:
        """The games of some days (American Eastern ones), over or not, and what was rejected by reason.

        Each day has a board of its own, as ESPN refuses ranges; a game that two of them show counts once, and a day
        whose board cannot be had or read costs no other day. Asks again after 429, 5xx, timeouts and broken
        connections.

        Raises:
            UnknownLeagueError: ESPN is not asked for this sport.
            RefusedError: an HTTP error, on every day.
            TransportError: no complete answer after all attempts, on every day.
            MalformedBodyError: no day has a scoreboard of a size that can be.
        """
        if (league := LEAGUES.get(sport)) is None:
            raise UnknownLeagueError(sport)
        games: dict[object, EspnGame] = {}
        rejected, failures = Counter[str](), []
        days = [first + n * DAY for n in range((last - first).days + 1)]
        for day in days:
            try:
                found, odd = await self._board(league, day)
            except EspnError as error:
                failures.append(error)
                rejected[error.reason] += 1
                continue
            rejected += odd
            for game in found:
                games.setdefault(game.id or game[1:4], game)
        if failures and len(failures) == len(days):
            raise failures[-1]
        return list(games.values()), rejected

    async def _board(self, league: League, day: date) -> tuple[list[EspnGame], Counter[str]]:
        params = {"dates": f"{day:%Y%m%d}", "limit": str(MOST_EVENTS)}
        if league.group is not None:
            params["groups"] = str(league.group)
        return board_games(await self._get(f"/{league.path}/scoreboard", params))

    async def _get(self, path: str, params: dict[str, str]) -> bytes:
        async for attempt in stamina.retry_context(
            on=_worth_another_try,
            attempts=self._retries.attempts,
            timeout=None,
            wait_initial=self._retries.first_wait,
            wait_max=self._retries.longest_wait,
            wait_jitter=self._retries.jitter,
        ):
            with attempt:
                return await self._once(path, params)
        raise AssertionError("a retry context returns or raises")

    async def _once(self, path: str, params: dict[str, str]) -> bytes:
        try:
            async with asyncio.timeout(REQUEST_SECONDS), self._http.stream("GET", path, params=params) as response:
                if not response.is_success:
                    raise RefusedError(response.status_code)
                return await read_body(response, MAX_BODY_BYTES)
        except TimeoutError as error:
            raise SlowAnswerError(f"no complete answer within {REQUEST_SECONDS:.0f} s") from error
        except (httpx.RequestError, BrokenBodyError) as error:
            raise TransportError(f"{type(error).__name__} {error}".strip()) from error
        except BodyError as error:
            raise MalformedBodyError(str(error)) from error


def _worth_another_try(error: Exception) -> bool:
    if isinstance(error, RefusedError):
        return error.status == _TOO_MANY or error.status >= _SERVER
    return isinstance(error, TransportError) and not isinstance(error, SlowAnswerError)
