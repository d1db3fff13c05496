"""Typed responses of The Odds API v4. Times are aware UTC, whether sent as ISO text or unix seconds."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from edge_assets.feeds.odds_api.errors import (
    InvalidJsonError,
    MalformedBodyError,
    OddsApiError,
    UnsupportedVersionError,
)

T = TypeVar("T")

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Raised by msgspec for invalid JSON, JSON of another type, or excessive nesting."""


class WireSport(Struct, frozen=True):
    """One entry of `/sports`."""

    key: str
    title: str
    active: bool
    group: str = ""
    description: str = ""
    has_outrights: bool = False


class WireEvent(Struct, frozen=True, kw_only=True):
    """One entry of `/events`; outrights have no teams."""

    id: str
    sport_key: str
    commence_time: datetime
    sport_title: str = ""
    home_team: str | None = None
    away_team: str | None = None
    has_outrights: bool = False
    home_rotation: int | None = None
    away_rotation: int | None = None


class WireOutcome(Struct, frozen=True, gc=False):
    """One price, with `description` and `point` if the market has them."""

    name: str
    price: float
    point: float | None = None
    description: str | None = None
    link: str | None = None
    sid: str | None = None
    bet_limit: float | None = None
    multiplier: float | None = None


class WireMarket(Struct, frozen=True):
    """The prices of one book in one market; captures before 2023 have no `last_update` here."""

    key: str
    outcomes: list[WireOutcome]
    last_update: datetime | None = None
    link: str | None = None
    sid: str | None = None


class WireBookmaker(Struct, frozen=True):
    """The offers of one book; event odds have no `last_update` here."""

    key: str
    title: str
    markets: list[WireMarket]
    last_update: datetime | None = None
    link: str | None = None
    sid: str | None = None


class WireEventOdds(WireEvent, frozen=True, kw_only=True):
    """One entry of `/odds`."""

    bookmakers: list[WireBookmaker]


class ListedMarket(Struct, frozen=True):
    """A market that a book has, without its prices."""

    key: str
    last_update: datetime | None = None


class BookMarkets(Struct, frozen=True):
    """A book and the markets it has."""

    key: str
    title: str
    markets: list[ListedMarket]


class EventMarkets(WireEvent, frozen=True, kw_only=True):
    """The response of `/events/{id}/markets`."""

    bookmakers: list[BookMarkets]


class WireTeamScore(Struct, frozen=True):
    """A team's points, as text; some feeds send numbers, or nothing."""

    name: str
    score: str | int | float | None = None


class WireScore(WireEvent, frozen=True, kw_only=True):
    """One entry of `/scores`; `scores` is None before the start, and in no particular order after it."""

    completed: bool
    scores: list[WireTeamScore] | None = None
    last_update: datetime | None = None


class Participant(Struct, frozen=True):
    """One entry of `/participants`."""

    full_name: str
    id: str


class HistoricalEnvelope(Struct, Generic[T], frozen=True):
    """A historical response: the snapshot's time, its neighbours' times, and the live endpoint's response."""

    timestamp: datetime
    data: T
    previous_timestamp: datetime | None = None
    next_timestamp: datetime | None = None


class _Version3Body(Struct):
    success: bool
    data: msgspec.Raw


def decode(body: bytes, kind: type[T]) -> T:
    """Decode a response.

    Raises:
        InvalidJsonError: the JSON is truncated or invalid.
        UnsupportedVersionError: it is of API version 3.
        MalformedBodyError: it is not a `kind`.
    """
    try:
        # lax: with `dateFormat=unix` times are integers, which strict decoding rejects
        return msgspec.json.decode(body, type=kind, strict=False)
    except DECODE_ERRORS as error:
        failure = classify_decode_error(body, error)
    raise failure


def classify_decode_error(body: bytes, error: Exception) -> OddsApiError:
    """The error that a decoding failure means."""
    if not isinstance(error, msgspec.ValidationError):
        return InvalidJsonError(str(error))
    try:
        msgspec.json.decode(body, type=_Version3Body)
    except DECODE_ERRORS:
        return MalformedBodyError(str(error))
    return UnsupportedVersionError("this is API version 3; the base URL must point to version 4")
