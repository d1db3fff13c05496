"""A client of The Odds API v4."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, Unpack

import msgspec

from edge_assets.feeds.odds_api.entries import Entries, read_entries
from edge_assets.feeds.odds_api.errors import InvalidMarketError
from edge_assets.feeds.odds_api.events import check_event_list
from edge_assets.feeds.odds_api.query import EventFilter, OddsFilter, format_wire_time, to_wire_params
from edge_assets.feeds.odds_api.quota import NO_SPENDING, Spending, stated_cost
from edge_assets.feeds.odds_api.transport import HTTP_TIMEOUT, ApiResponse, RetryPolicy, Transport
from edge_assets.feeds.odds_api.wire import (
    EventMarkets,
    HistoricalEnvelope,
    Participant,
    WireEvent,
    WireEventOdds,
    WireScore,
    WireSport,
    decode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx2
    from pydantic import SecretStr

    from edge_assets.core.clock import Clock
    from edge_assets.feeds.odds_api.quota import Quota
    from ml.quotes import Micros

T = TypeVar("T")
E = TypeVar("E", bound=msgspec.Struct)

CONSUMED_HEADER = "x-edge-consumed"
_log = logging.getLogger(__name__)


class OddsRequest(NamedTuple):
    """The parameters of an odds request, without the markets that the endpoint rejected."""

    regions: tuple[str, ...]
    markets: tuple[str, ...]
    bookmakers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """An undecoded response of `/odds`: `observed_at` by the feed's clock, `received_at` by the wall clock.

    `wasted` is the cost of failed attempts before it. `arrived_monotonic` is on the monotonic clock, never adjusted.
    `stated_at` is the time that the server states, if it does.
    """

    body: bytes
    observed_at: datetime
    received_at: Micros
    quota: Quota
    request_ms: float
    request: OddsRequest
    wasted: Spending = NO_SPENDING
    arrived_monotonic: float = field(default_factory=time.monotonic)
    stated_at: datetime | None = None

    @property
    def spending(self) -> Spending:
        """The cost of this response and of failed attempts before it."""
        return self.wasted.add(self.quota, is_charged=True)


class OddsApiClient:
    """All endpoints. Use as an async context manager, or call `aclose`.

    Every call can raise the errors of `edge_assets.feeds.odds_api.errors`. Markets that an endpoint rejects are dropped
    with a warning and not requested again.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        clock: Clock,
        *,
        retry_policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - immutable
        timeout: httpx2.Timeout = HTTP_TIMEOUT,
    ) -> None:
        self._transport = Transport(base_url, key, clock, retry_policy, timeout)
        self._invalid_markets: dict[str, set[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    @property
    def quota(self) -> Quota:
        """The credits that the last response stated."""
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
        filters = OddsFilter(regions=regions, markets=markets, bookmakers=bookmakers)
        path = f"/sports/{sport}/odds"
        response = await self._get_odds(path, filters, check_event_list, headers=headers)
        request = OddsRequest(tuple(regions), tuple(self._accepted_markets(path, markets)), tuple(bookmakers))
        fields = (response.body, response.observed_at, response.received_at, response.quota, response.request_ms)
        return Payload(*fields, request, response.wasted, stated_at=response.stated_at)

    async def sports(self, *, out_of_season: bool = False) -> list[WireSport]:
        """The sports with events, or all. Free."""
        return (await self._get_entries("/sports", WireSport, {"all": "true"} if out_of_season else {})).items

    async def events(self, sport: str, **filters: Unpack[EventFilter]) -> list[WireEvent]:
        """Events listed by bookmakers. Free."""
        return (await self._get_entries(f"/sports/{sport}/events", WireEvent, to_wire_params(filters))).items

    async def odds(self, sport: str, **filters: Unpack[OddsFilter]) -> list[WireEventOdds]:
        """The current odds. Costs markets x regions (or started tens of bookmakers), or 0 without events."""
        return (
            await self._get_odds(f"/sports/{sport}/odds", filters, partial(decode, kind=list[WireEventOdds]))
        ).content

    async def event_odds(self, sport: str, event: str, **filters: Unpack[OddsFilter]) -> WireEventOdds:
        """The current odds of an event in any market. Costs markets returned x regions."""
        return (
            await self._get_odds(f"/sports/{sport}/events/{event}/odds", filters, partial(decode, kind=WireEventOdds))
        ).content

    async def event_markets(self, sport: str, event: str, **filters: Unpack[OddsFilter]) -> EventMarkets:
        """The markets of each book. Costs 1."""
        return await self._get(f"/sports/{sport}/events/{event}/markets", EventMarkets, to_wire_params(filters))

    async def participants(self, sport: str) -> list[Participant]:
        """The teams or players of a sport. Costs 1."""
        return (await self._get_entries(f"/sports/{sport}/participants", Participant, {})).items

    async def scores(
        self, sport: str, *, days_from: int | None = None, event_ids: Sequence[str] = ()
    ) -> Entries[WireScore]:
        """Live and upcoming games, and those completed in the last `days_from` (1-3) days. Costs 1, or 2."""
        params = to_wire_params({"daysFrom": str(days_from or ""), "event_ids": event_ids})
        return await self._get_entries(f"/sports/{sport}/scores", WireScore, params)

    async def historical_odds(
        self, sport: str, at: datetime, **filters: Unpack[OddsFilter]
    ) -> HistoricalEnvelope[list[WireEventOdds]]:
        """The newest odds snapshot not later than `at`. Costs 10 x markets x regions."""
        path = f"/historical/sports/{sport}/odds"
        return (
            await self._get_odds(path, filters, partial(decode, kind=HistoricalEnvelope[list[WireEventOdds]]), at=at)
        ).content

    async def historical_events(
        self, sport: str, at: datetime, **filters: Unpack[EventFilter]
    ) -> HistoricalEnvelope[list[WireEvent]]:
        """The events listed at the newest snapshot not later than `at`. Costs 1."""
        params = {**to_wire_params(filters), "date": format_wire_time(at)}
        return await self._get(f"/historical/sports/{sport}/events", HistoricalEnvelope[list[WireEvent]], params)

    async def historical_event_odds(
        self, sport: str, event: str, at: datetime, **filters: Unpack[OddsFilter]
    ) -> HistoricalEnvelope[WireEventOdds]:
        """An event's odds at the newest snapshot not later than `at`. Costs 10 x markets sent x regions."""
        path = f"/historical/sports/{sport}/events/{event}/odds"
        return (
            await self._get_odds(path, filters, partial(decode, kind=HistoricalEnvelope[WireEventOdds]), at=at)
        ).content

    async def _get_entries(self, path: str, kind: type[E], params: Mapping[str, str]) -> Entries[E]:
        """Fetch a list; log a warning with the counts of rejected entries."""
        response = await self._transport.get(path, params, lambda body: read_entries(body, kind))
        entries = response.content
        if entries.rejected:
            summary = ", ".join(f"{n} {reason}" for reason, n in sorted(entries.rejected.items()))
            _log.warning("%s: rejected parts of the response: %s", path, summary)
        return entries._replace(credits=stated_cost(response.wasted, response.quota))

    async def _get(self, path: str, kind: type[T], params: Mapping[str, str] | None = None) -> T:
        return (await self._transport.get(path, params or {}, lambda body: decode(body, kind))).content

    async def _get_odds(
        self,
        path: str,
        filters: OddsFilter,
        read: Callable[[bytes], T],
        *,
        at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse[T]:
        """Fetch odds; if some markets are rejected, retry once without them."""

        async def send() -> ApiResponse[T]:
            params = self._build_params(path, filters, at)
            return await self._transport.get(path, params, read, headers)

        try:
            return await send()
        except InvalidMarketError as error:
            if not self._drop_markets(path, filters, error.markets):
                raise
        return await send()

    def _build_params(self, path: str, filters: OddsFilter, at: datetime | None) -> dict[str, str]:
        markets = self._accepted_markets(path, filters.get("markets", ()))
        params: dict[str, Any] = {**filters, "markets": markets, "dateFormat": "iso", "oddsFormat": "decimal"}
        if at is not None:
            params["date"] = at
        return to_wire_params(params)

    def _accepted_markets(self, path: str, markets: Sequence[str]) -> list[str]:
        return [market for market in markets if market not in self._invalid_markets.get(path, set())]

    def _drop_markets(self, path: str, filters: OddsFilter, markets: Sequence[str]) -> bool:
        """Remember rejected markets; False if none of the requested ones would remain."""
        invalid = self._invalid_markets.get(path, set())
        remaining = [m for m in filters.get("markets", ()) if m not in invalid and m not in markets]
        newly_invalid = set(markets).intersection(filters.get("markets", ())) - invalid
        if not (remaining and newly_invalid):
            return False
        _log.warning("%s does not support these markets; retrying without them: %s", path, ", ".join(markets))
        self._invalid_markets[path] = invalid | set(markets)
        return True
