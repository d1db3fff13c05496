"""Errors of The Odds API: one type for each way to handle them.

No message contains a URL or a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.odds_api.quota import NO_SPENDING, UNKNOWN_QUOTA, Quota, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping


class OddsApiError(Exception):
    """The base class.

    `quota` is the latest statement of credits, `spending` what all attempts of the request may have cost; `body` is the
    unreadable response, if there was one.
    """

    quota: Quota = UNKNOWN_QUOTA
    spending: Spending = NO_SPENDING
    body: bytes | None = None


class TransportError(OddsApiError):
    """No complete response arrived, after all retries: a timeout, a broken connection, a corrupt encoding."""


class SlowResponseError(TransportError):
    """A response was too slow and was abandoned. Not retried: the next one would be no faster."""


class UnreachableError(TransportError):
    """No connection: nothing was sent, so nothing can have been charged."""


class MalformedBodyError(OddsApiError):
    """A complete response that does not have the endpoint's format."""


class InvalidJsonError(MalformedBodyError):
    """A complete response whose JSON is invalid or truncated."""


class ResponseTooLargeError(MalformedBodyError):
    """A response that exceeds the limits on length or number of parts."""


class UnsupportedVersionError(MalformedBodyError):
    """A body of API version 3 (`{"success": ..., "data": [...]}`): the base URL points to the wrong place."""


class ClockAheadError(OddsApiError):
    """This machine's clock is days ahead of the feed's: a response dated by it would come after all later ones."""


class ApiStatusError(OddsApiError):
    """The API answered with an error: HTTP `status`, its `error_code` (may be empty) and `message`.

    `retry_after_seconds` is the wait that the response asks for, if any.
    """

    retry_after_seconds: float | None = None

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(f"{status} {error_code or 'no error code'}: {message}")
        self.status = status
        self.error_code = error_code
        self.message = message


class InvalidApiKeyError(ApiStatusError):
    """The API key is missing, invalid or deactivated: stop; a person has to act."""


class OutOfCreditsError(ApiStatusError):
    """No credits until the 1st of the month: stop calls that cost; `/sports` and `/events` still work."""


class HistoryUnavailableError(ApiStatusError):
    """The plan has no historical odds."""


class UnknownSportError(ApiStatusError):
    """The sport key does not exist (any more)."""


class EventNotFoundError(ApiStatusError):
    """The event has ended or never existed."""


class InvalidRequestError(ApiStatusError):
    """A parameter is wrong: a bug or a configuration error; never retried."""


class InvalidMarketError(InvalidRequestError):
    """Some markets do not exist, or not at this endpoint: `markets` holds their keys."""

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(status, error_code, message)
        listed = message.partition(":")[2]
        self.markets = tuple(key.strip() for key in listed.split(",") if key.strip())


class RateLimitedError(ApiStatusError):
    """Too many calls per second, even after all retries."""


class ServerError(ApiStatusError):
    """A 5xx response, even after all retries."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The JSON of an error."""

    message: str = ""
    error_code: str = ""


_ERROR_TYPES_BY_CODE: Mapping[str, type[ApiStatusError]] = {
    "MISSING_KEY": InvalidApiKeyError,
    "INVALID_KEY": InvalidApiKeyError,
    "DEACTIVATED_KEY": InvalidApiKeyError,
    "OUT_OF_USAGE_CREDITS": OutOfCreditsError,
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": HistoryUnavailableError,
    "UNKNOWN_SPORT": UnknownSportError,
    "EVENT_NOT_FOUND": EventNotFoundError,
    "INVALID_MARKET": InvalidMarketError,
    "EXCEEDED_FREQ_LIMIT": RateLimitedError,
}
_HTTP_UNAUTHORIZED, _HTTP_TOO_MANY_REQUESTS, _HTTP_SERVER_ERROR = 401, 429, 500
_error_decoder = msgspec.json.Decoder(ErrorBody)


def error_from_response(status: int, body: bytes, quota: Quota) -> ApiStatusError:
    """The error for a response with a status of 400 or above."""
    try:
        stated = _error_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        stated = ErrorBody("no readable error message")
    return _error_type(status, stated.error_code, quota)(status, stated.error_code, stated.message)


def _error_type(status: int, error_code: str, quota: Quota) -> type[ApiStatusError]:
    """By code; a 401 with an unknown code means no credits if none are left, else an invalid key."""
    if status >= _HTTP_SERVER_ERROR:
        return ServerError
    if status == _HTTP_TOO_MANY_REQUESTS:
        return RateLimitedError
    if error_code in _ERROR_TYPES_BY_CODE:
        return _ERROR_TYPES_BY_CODE[error_code]
    if status == _HTTP_UNAUTHORIZED:
        return OutOfCreditsError if quota.is_exhausted else InvalidApiKeyError
    return InvalidRequestError
