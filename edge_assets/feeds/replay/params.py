"""Reads and checks query parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, NoReturn

from edge_assets.books import REGIONS, is_listed
from edge_assets.feeds.replay import markets as market_keys
from edge_assets.feeds.replay.bodies import as_datetime
from edge_assets.feeds.replay.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_assets.feeds.replay.bodies import Event, Score, Sport

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_EVENT_ID = re.compile(r"[0-9a-f]{32}")
_BOOK = re.compile(r"[a-z0-9_]+")
_BOOKS_PER_REGION = 10
_DAYS_FROM = {"1": 1, "2": 2, "3": 3}


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for, and how to write their times."""

    unix: bool
    rotation: bool
    ids: frozenset[str] | None
    earliest: datetime | None
    latest: datetime | None

    @property
    def all_events(self) -> bool:
        """Whether nothing is filtered."""
        return self.ids is None and self.earliest is None and self.latest is None

    def admits(self, event: Event | Score) -> bool:
        """Whether the event is asked for; both time limits are inclusive."""
        if self.ids is not None and event.id not in self.ids:
            return False
        start = as_datetime(event.commence_time)
        return (self.earliest is None or start >= self.earliest) and (self.latest is None or start <= self.latest)


@dataclass(frozen=True, slots=True)
class BookFilter:
    """Which books are asked for: the ones named, else all that the regions list."""

    named: frozenset[str]
    regions: frozenset[str]

    @property
    def units(self) -> int:
        """The factor R of the cost rules."""
        return ceil(len(self.named) / _BOOKS_PER_REGION) if self.named else len(self.regions)

    def admits(self, book: str) -> bool:
        """Whether the book is asked for."""
        return book in self.named if self.named else is_listed(book, self.regions)


@dataclass(frozen=True, slots=True)
class OddsQuery:
    """Everything that shapes an answer with odds."""

    events: EventFilter
    books: BookFilter
    markets: tuple[str, ...]
    american: bool
    extras: frozenset[str]

    @property
    def bulk_cost(self) -> int:
        """The cost of a list of events, unless it is empty."""
        return len(self.markets) * self.books.units


def event_filter(params: Mapping[str, str]) -> EventFilter:
    """`dateFormat`, `eventIds`, `commenceTimeFrom/To` and `includeRotationNumbers`."""
    ids = _list(params, "eventIds")
    if ids and not all(map(_EVENT_ID.fullmatch, ids)):
        raise ApiError("INVALID_EVENT_IDS")
    earliest = timestamp(params.get("commenceTimeFrom"), "INVALID_COMMENCE_TIME_FROM")
    latest = timestamp(params.get("commenceTimeTo"), "INVALID_COMMENCE_TIME_TO")
    if earliest and latest and earliest > latest:
        raise ApiError("INVALID_COMMENCE_TIME_RANGE")
    rotation = flag(params, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS")
    return EventFilter(unix_dates(params), rotation, frozenset(ids) if ids else None, earliest, latest)


def book_filter(params: Mapping[str, str]) -> BookFilter:
    """`bookmakers`, which overrides `regions`; one of them is required."""
    named, regions = _list(params, "bookmakers"), _list(params, "regions")
    if named and not all(map(_BOOK.fullmatch, named)):
        raise ApiError("INVALID_BOOKMAKERS", f"Invalid bookmakers: {','.join(named)}")
    if not named and not regions:
        raise ApiError("MISSING_REGION")
    if unknown := [region for region in regions if region not in REGIONS]:
        raise ApiError("INVALID_REGION", f"Invalid regions: {','.join(unknown)}")
    return BookFilter(frozenset(named), frozenset(regions))


def event_format(params: Mapping[str, str]) -> EventFilter:
    """How to write a single event, which no filter hides."""
    return replace(event_filter(params), ids=None, earliest=None, latest=None)


def odds_query(params: Mapping[str, str], sport: Sport, *, bulk: bool) -> OddsQuery:
    """All parameters of an odds endpoint; `bulk` is the one that lists every event of a sport."""
    books = book_filter(params)
    default = "outrights" if sport.has_outrights else "h2h"
    markets = tuple(dict.fromkeys(params.get("markets", default).split(",")))
    if markets == ("",):
        raise ApiError("MISSING_MARKET")
    market_keys.check(markets, bulk=bulk, outrights=sport.has_outrights)
    american = _choice(params, "oddsFormat", ("decimal", "american"), "INVALID_ODDS_FORMAT")
    events = event_filter(params) if bulk else event_format(params)
    return OddsQuery(events, books, markets, american, _extras(params))


def flag(params: Mapping[str, str], name: str, code: str) -> bool:
    """A boolean, literally `true` or `false`."""
    return _choice(params, name, ("false", "true"), code)


def unix_dates(params: Mapping[str, str]) -> bool:
    """Whether times are wanted as unix seconds."""
    return _choice(params, "dateFormat", ("iso", "unix"), "INVALID_DATE_FORMAT")


def timestamp(value: str | None, code: str) -> datetime | None:
    """A time in the one format that the API takes: no fractions, no offset."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value) if _TIME.fullmatch(value) else _refuse(code)
    except ValueError:
        return _refuse(code)


def days_from(params: Mapping[str, str]) -> int | None:
    """How many days back completed events are wanted; None for no completed ones."""
    value = params.get("daysFrom")
    if value is not None and value not in _DAYS_FROM:
        raise ApiError("INVALID_SCORES_DAYS_FROM")
    return _DAYS_FROM[value] if value else None


def event_id(value: str) -> str:
    """An event's id from the path."""
    return value if _EVENT_ID.fullmatch(value) else _refuse("INVALID_EVENT_ID")


def _extras(params: Mapping[str, str]) -> frozenset[str]:
    asked = {
        "link": flag(params, "includeLinks", "INVALID_INCLUDE_LINKS"),
        "sid": flag(params, "includeSids", "INVALID_INCLUDE_SIDS"),
        "bet_limit": flag(params, "includeBetLimits", "INVALID_INCLUDE_BET_LIMITS"),
        "multiplier": flag(params, "includeMultipliers", "INVALID_INCLUDE_MULTIPLIERS"),
    }
    return frozenset(name for name, wanted in asked.items() if wanted)


def _choice(params: Mapping[str, str], name: str, values: tuple[str, str], code: str) -> bool:
    """True for the second value; the first is the default."""
    value = params.get(name, values[0])
    return value == values[1] if value in values else _refuse(code)


def _list(params: Mapping[str, str], name: str) -> list[str]:
    return params[name].split(",") if params.get(name) else []


def _refuse(code: str) -> NoReturn:
    raise ApiError(code)
