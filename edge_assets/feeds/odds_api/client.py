"""The Odds API v4, call by call."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, Unpack

import msgspec

from edge_assets.feeds.odds_api.entries import Entries, read_entries
from edge_assets.feeds.odds_api.errors import InvalidMarketError
from edge_assets.feeds.odds_api.events import check_list
from edge_assets.feeds.odds_api.query import EventFilter, OddsFilter, wire_params, wire_time_text
from edge_assets.feeds.odds_api.quota import NOTHING_SPENT, Spending, stated_cost
from edge_assets.feeds.odds_api.transport import TIMEOUT, Answer, Retries, Transport
from edge_assets.feeds.odds_api.wire import (
    Envelope,
    Event,
    EventMarkets,
    EventOdds,
    Participant,
    Score,
    Sport,
    decode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx
    from pydantic import SecretStr

    from edge_assets.clock import Clock
    from edge_assets.feeds.odds_api.quota import Quota
    from ml.quotes import Micros

T = TypeVar("T")
E = TypeVar("E", bound=msgspec.Struct)

CONSUMED_HEADER = "x-edge-consumed"
_log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """What a request for a sport's odds named; markets that the endpoint refused are not among them."""

    regions: tuple[str, ...]
    markets: tuple[str, ...]
    bookmakers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """The undecoded answer of `/odds`: `observed_at` by the feed's clock, `received_at` by the wall clock.

    `wasted` is what the answers before it cost, which were of no use. `arrived` is on the monotonic clock, which
    nobody sets.
    """

    body: bytes
    observed_at: datetime
    received_at: Micros
    quota: Quota
    request_ms: float
    asked: Asked
    wasted: Spending = NOTHING_SPENT
    arrived: float = field(default_factory=time.monotonic)

    @property
    def spending(self) -> Spending:
        """What this answer and those before it cost."""
        return self.wasted.plus(self.quota, is_charged=True)


class OddsApiClient:
    """All endpoints. Use as an async context manager, or call `aclose`.

    Every call can raise the errors of `edge_assets.feeds.odds_api.errors`. Markets that an endpoint refuses
    are dropped, with a warning, and not asked for again.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        clock: Clock,
        *,
        retries: Retries = Retries(),  # noqa: B008 - immutable
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        self._transport = Transport(base_url, key, clock, retries, timeout)
        self._refused_markets: dict[str, set[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    @property
    def quota(self) -> Quota:
        """What the last answer said about credits."""
        return self._transport.quota

    async def odds_payload(
        self,
        sport: str,
        *,
        regions: Sequence[str] = (),
        markets: Sequence[str],
        bookmakers: Sequence[str] = (),
        consumed: datetime | None = None,
    ) -> Payload:
        """The current odds, undecoded, for `PayloadDiffer`. Costs markets x regions, or 0 without events.

        `consumed` acknowledges the last stored poll of the sport, which moves a replay on.
        """
        headers = {CONSUMED_HEADER: consumed.isoformat()} if consumed else {}
        asked = OddsFilter(regions=regions, markets=markets, bookmakers=bookmakers)
        path = f"/sports/{sport}/odds"
        answer = await self._priced(path, asked, check_list, headers=headers)
        named = Asked(tuple(regions), tuple(self._accepted(path, markets)), tuple(bookmakers))
        stated = (answer.body, answer.observed_at, answer.received_at, answer.quota, answer.request_ms)
        return Payload(*stated, named, answer.wasted)

    async def sports(self, *, out_of_season: bool = False) -> list[Sport]:
        """The sports with events, or all. Free."""
        return (await self._entries("/sports", Sport, {"all": "true"} if out_of_season else {})).found

    async def events(self, sport: str, **asked: Unpack[EventFilter]) -> list[Event]:
        """Events listed by bookmakers. Free."""
        return (await self._entries(f"/sports/{sport}/events", Event, wire_params(asked))).found

    async def odds(self, sport: str, **asked: Unpack[OddsFilter]) -> list[EventOdds]:
        """The current odds. Costs markets x regions (or started tens of bookmakers), or 0 without events."""
        return (await self._priced(f"/sports/{sport}/odds", asked, partial(decode, kind=list[EventOdds]))).content

    async def event_odds(self, sport: str, event: str, **asked: Unpack[OddsFilter]) -> EventOdds:
        """The current odds of an event in any market. Costs markets returned x regions."""
        return (
            await self._priced(f"/sports/{sport}/events/{event}/odds", asked, partial(decode, kind=EventOdds))
        ).content

    async def event_markets(self, sport: str, event: str, **asked: Unpack[OddsFilter]) -> EventMarkets:
        """Which markets each book has. Costs 1."""
        return await self._get(f"/sports/{sport}/events/{event}/markets", EventMarkets, wire_params(asked))

    async def participants(self, sport: str) -> list[Participant]:
        """The teams or players of a sport. Costs 1."""
        return (await self._entries(f"/sports/{sport}/participants", Participant, {})).found

    async def scores(
        self, sport: str, *, days_from: int | None = None, event_ids: Sequence[str] = ()
    ) -> Entries[Score]:
        """Live and upcoming games, and those completed in the last `days_from` (1-3) days. Costs 1, or 2."""
        params = wire_params({"daysFrom": str(days_from or ""), "event_ids": event_ids})
        return await self._entries(f"/sports/{sport}/scores", Score, params)

    async def historical_odds(self, sport: str, at: datetime, **asked: Unpack[OddsFilter]) -> Envelope[list[EventOdds]]:
        """The newest odds snapshot not later than `at`. Costs 10 x markets x regions."""
        path = f"/historical/sports/{sport}/odds"
        return (await self._priced(path, asked, partial(decode, kind=Envelope[list[EventOdds]]), at=at)).content

    async def historical_events(self, sport: str, at: datetime, **asked: Unpack[EventFilter]) -> Envelope[list[Event]]:
        """The events listed at the newest snapshot not later than `at`. Costs 1."""
        params = {**wire_params(asked), "date": wire_time_text(at)}
        return await self._get(f"/historical/sports/{sport}/events", Envelope[list[Event]], params)

    async def historical_event_odds(
        self, sport: str, event: str, at: datetime, **asked: Unpack[OddsFilter]
    ) -> Envelope[EventOdds]:
        """An event's odds at the newest snapshot not later than `at`. Costs 10 x markets sent x regions."""
        path = f"/historical/sports/{sport}/events/{event}/odds"
        return (await self._priced(path, asked, partial(decode, kind=Envelope[EventOdds]), at=at)).content

    async def _entries(self, path: str, kind: type[E], params: Mapping[str, str]) -> Entries[E]:
        """Ask for a list; what had to be left out of it is warned of, with its number."""
        answer = await self._transport.get(path, params, lambda body: read_entries(body, kind))
        entries = answer.content
        if entries.rejected:
            left_out = ", ".join(f"{n} {reason}" for reason, n in sorted(entries.rejected.items()))
            _log.warning("%s: left out of the answer: %s", path, left_out)
        return entries._replace(credits=stated_cost(answer.wasted, answer.quota))

    async def _get(self, path: str, kind: type[T], params: Mapping[str, str] | None = None) -> T:
        return (await self._transport.get(path, params or {}, lambda body: decode(body, kind))).content

    async def _priced(
        self,
        path: str,
        asked: OddsFilter,
        read: Callable[[bytes], T],
        *,
        at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer[T]:
        """Ask; if some markets are refused, ask once more without them."""

        async def ask() -> Answer[T]:
            params = self._params(path, asked, at)
            return await self._transport.get(path, params, read, headers)

        try:
            return await ask()
        except InvalidMarketError as error:
            if not self._drop(path, asked, error.markets):
                raise
        return await ask()

    def _params(self, path: str, asked: OddsFilter, at: datetime | None) -> dict[str, str]:
        markets = self._accepted(path, asked.get("markets", ()))
        params: dict[str, Any] = {**asked, "markets": markets, "dateFormat": "iso", "oddsFormat": "decimal"}
        if at is not None:
            params["date"] = at
        return wire_params(params)

    def _accepted(self, path: str, markets: Sequence[str]) -> list[str]:
        return [market for market in markets if market not in self._refused_markets.get(path, set())]

    def _drop(self, path: str, asked: OddsFilter, markets: Sequence[str]) -> bool:
        """Remember refused markets; false if the request cannot do without them."""
        refused = self._refused_markets.get(path, set())
        left = [m for m in asked.get("markets", ()) if m not in refused and m not in markets]
        asked_for = set(markets).intersection(asked.get("markets", ())) - refused
        if not (left and asked_for):
            return False
        _log.warning("%s does not have these markets, asking without them: %s", path, ", ".join(markets))
        self._refused_markets[path] = refused | set(markets)
        return True
