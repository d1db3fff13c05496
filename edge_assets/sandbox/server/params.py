"""Parse and validate query parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, NoReturn

from edge_assets.feeds.recordings.wire import parse_time
from edge_assets.reference.books import REGIONS, is_listed_in
from edge_assets.sandbox.server import markets as market_keys
from edge_assets.sandbox.server.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_assets.feeds.recordings.wire import RawEvent, RawScore, RawSport

_TIME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_EVENT_ID_PATTERN = re.compile(r"[0-9a-f]{32}")
_BOOK_KEY_PATTERN = re.compile(r"[a-z0-9_]+")
_BOOKS_PER_REGION = 10
_DAYS_FROM = {"1": 1, "2": 2, "3": 3}


@dataclass(frozen=True, slots=True)
class EventQuery:
    """The requested events, and the format of their times."""

    unix: bool
    rotation: bool
    ids: frozenset[str] | None
    earliest: datetime | None
    latest: datetime | None

    @property
    def is_unfiltered(self) -> bool:
        """Whether all events are requested."""
        return self.ids is None and self.earliest is None and self.latest is None

    def admits(self, event: RawEvent | RawScore) -> bool:
        """Whether the event is requested; both time limits are inclusive."""
        if self.ids is not None and event.id not in self.ids:
            return False
        start = parse_time(event.commence_time)
        return (self.earliest is None or start >= self.earliest) and (self.latest is None or start <= self.latest)


@dataclass(frozen=True, slots=True)
class BookFilter:
    """The requested books: those named, else all listed in the regions."""

    book_keys: frozenset[str]
    regions: frozenset[str]

    @property
    def region_units(self) -> int:
        """The number of regions that the cost rules charge."""
        return ceil(len(self.book_keys) / _BOOKS_PER_REGION) if self.book_keys else len(self.regions)

    def admits(self, book: str) -> bool:
        """Whether the book is requested."""
        return book in self.book_keys if self.book_keys else is_listed_in(book, self.regions)


@dataclass(frozen=True, slots=True)
class OddsQuery:
    """All parameters of an odds request."""

    events: EventQuery
    books: BookFilter
    markets: tuple[str, ...]
    american: bool
    extras: frozenset[str]

    @property
    def bulk_cost(self) -> int:
        """The cost of a non-empty list of events."""
        return len(self.markets) * self.books.region_units


def parse_event_query(params: Mapping[str, str]) -> EventQuery:
    """Parse `dateFormat`, `eventIds`, `commenceTimeFrom/To` and `includeRotationNumbers`."""
    ids = _split_list(params, "eventIds")
    if ids and not all(map(_EVENT_ID_PATTERN.fullmatch, ids)):
        raise ApiError("INVALID_EVENT_IDS")
    earliest = parse_timestamp(params.get("commenceTimeFrom"), "INVALID_COMMENCE_TIME_FROM")
    latest = parse_timestamp(params.get("commenceTimeTo"), "INVALID_COMMENCE_TIME_TO")
    if earliest and latest and earliest > latest:
        raise ApiError("INVALID_COMMENCE_TIME_RANGE")
    rotation = parse_flag(params, "includeRotationNumbers", "INVALID_INCLUDE_ROTATION_NUMBERS")
    return EventQuery(parse_unix_dates(params), rotation, frozenset(ids) if ids else None, earliest, latest)


def parse_book_filter(params: Mapping[str, str]) -> BookFilter:
    """Parse `bookmakers`, which overrides `regions`; one of them is required."""
    book_keys, regions = _split_list(params, "bookmakers"), _split_list(params, "regions")
    if book_keys and not all(map(_BOOK_KEY_PATTERN.fullmatch, book_keys)):
        raise ApiError("INVALID_BOOKMAKERS", f"Invalid bookmakers: {','.join(book_keys)}")
    if not book_keys and not regions:
        raise ApiError("MISSING_REGION")
    if unknown := [region for region in regions if region not in REGIONS]:
        raise ApiError("INVALID_REGION", f"Invalid regions: {','.join(unknown)}")
    return BookFilter(frozenset(book_keys), frozenset(regions))


def parse_event_format(params: Mapping[str, str]) -> EventQuery:
    """Parse the format parameters for a single event; filters do not apply to it."""
    return replace(parse_event_query(params), ids=None, earliest=None, latest=None)


def parse_odds_query(params: Mapping[str, str], sport: RawSport, *, bulk: bool) -> OddsQuery:
    """Parse all parameters of an odds endpoint; `bulk` is the one that lists every event of a sport."""
    books = parse_book_filter(params)
    default = "outrights" if sport.has_outrights else "h2h"
    markets = tuple(dict.fromkeys(params.get("markets", default).split(",")))
    if markets == ("",):
        raise ApiError("MISSING_MARKET")
    market_keys.check_markets(markets, bulk=bulk, outrights=sport.has_outrights)
    american = _parse_choice(params, "oddsFormat", ("decimal", "american"), "INVALID_ODDS_FORMAT")
    events = parse_event_query(params) if bulk else parse_event_format(params)
    return OddsQuery(events, books, markets, american, _parse_extras(params))


def parse_flag(params: Mapping[str, str], name: str, code: str) -> bool:
    """Parse a boolean, literally `true` or `false`."""
    return _parse_choice(params, name, ("false", "true"), code)


def parse_unix_dates(params: Mapping[str, str]) -> bool:
    """Whether times are requested as unix seconds."""
    return _parse_choice(params, "dateFormat", ("iso", "unix"), "INVALID_DATE_FORMAT")


def parse_timestamp(value: str | None, code: str) -> datetime | None:
    """Parse a time in the only format that the API accepts: no fractions, no offset."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value) if _TIME_PATTERN.fullmatch(value) else _raise_api_error(code)
    except ValueError:
        return _raise_api_error(code)


def parse_days_from(params: Mapping[str, str]) -> int | None:
    """For how many days back completed events are requested; None for none."""
    value = params.get("daysFrom")
    if value is not None and value not in _DAYS_FROM:
        raise ApiError("INVALID_SCORES_DAYS_FROM")
    return _DAYS_FROM[value] if value else None


def check_event_id(value: str) -> str:
    """Validate an event id from the path."""
    return value if _EVENT_ID_PATTERN.fullmatch(value) else _raise_api_error("INVALID_EVENT_ID")


def _parse_extras(params: Mapping[str, str]) -> frozenset[str]:
    flags = {
        "link": parse_flag(params, "includeLinks", "INVALID_INCLUDE_LINKS"),
        "sid": parse_flag(params, "includeSids", "INVALID_INCLUDE_SIDS"),
        "bet_limit": parse_flag(params, "includeBetLimits", "INVALID_INCLUDE_BET_LIMITS"),
        "multiplier": parse_flag(params, "includeMultipliers", "INVALID_INCLUDE_MULTIPLIERS"),
    }
    return frozenset(name for name, is_requested in flags.items() if is_requested)


def _parse_choice(params: Mapping[str, str], name: str, values: tuple[str, str], code: str) -> bool:
    """True for the second value; the first is the default."""
    value = params.get(name, values[0])
    return value == values[1] if value in values else _raise_api_error(code)


def _split_list(params: Mapping[str, str], name: str) -> list[str]:
    return params[name].split(",") if params.get(name) else []


def _raise_api_error(code: str) -> NoReturn:
    raise ApiError(code)
