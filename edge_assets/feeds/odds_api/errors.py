"""What The Odds API can answer instead of odds: one type for each thing to do about it.

No error's text holds a URL or a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.odds_api.quota import NO_SPENDING, UNKNOWN_QUOTA, Quota, Spending

if TYPE_CHECKING:
    from collections.abc import Mapping


class OddsApiError(Exception):
    """The base of everything that the feed can raise.

    `quota` is what the newest answer that did said of the credits, `spending` what all answers to the request may have
    cost; `body` is the answer that could not be read, where one came.
    """

    quota: Quota = UNKNOWN_QUOTA
    spending: Spending = NO_SPENDING
    body: bytes | None = None


class TransportError(OddsApiError):
    """No complete answer arrived, after all retries: a timeout, a broken connection, a broken encoding."""


class SlowResponseError(TransportError):
    """An answer came, but so slowly that it was given up; the next one would come no faster."""


class UnreachableError(TransportError):
    """There was no connection, so that nothing was asked and nothing can have been charged."""


class MalformedBodyError(OddsApiError):
    """A complete answer that is not what the endpoint sends."""


class InvalidJsonError(MalformedBodyError):
    """A complete answer whose JSON is broken or ends early."""


class ResponseTooLargeError(MalformedBodyError):
    """An answer that is longer, or made of more parts, than any can be."""


class UnsupportedVersionError(MalformedBodyError):
    """A body of API version 3 (`{"success": ..., "data": [...]}`): the base URL points to the wrong place."""


class ApiStatusError(OddsApiError):
    """The API answered with an error: HTTP `status`, its `error_code` (may be empty) and `message`.

    `retry_after_seconds` holds the seconds that the answer asks to wait, if it does.
    """

    retry_after_seconds: float | None = None

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(f"{status} {error_code or 'without a code'}: {message}")
        self.status = status
        self.error_code = error_code
        self.message = message


class InvalidApiKeyError(ApiStatusError):
    """The API key is missing, invalid or deactivated: stop, and call a human."""


class OutOfCreditsError(ApiStatusError):
    """No credits till the 1st of the month: stop calls that cost; `/sports` and `/events` keep answering."""


class HistoryUnavailableError(ApiStatusError):
    """The plan has no historical odds."""


class UnknownSportError(ApiStatusError):
    """The sport key does not exist (any more)."""


class EventNotFoundError(ApiStatusError):
    """The event ended or never was."""


class InvalidRequestError(ApiStatusError):
    """A parameter is wrong: a bug or a configuration error, never to be retried."""


class InvalidMarketError(InvalidRequestError):
    """Some markets do not exist or not at this endpoint: `markets` holds their keys."""

    def __init__(self, status: int, error_code: str, message: str) -> None:
        super().__init__(status, error_code, message)
        listed = message.partition(":")[2]
        self.markets = tuple(key.strip() for key in listed.split(",") if key.strip())


class RateLimitedError(ApiStatusError):
    """Too many calls a second, still after all retries."""


class ServerError(ApiStatusError):
    """A 5xx answer, still after all retries."""


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
    """The error that an answer with a status of 400 or above stands for."""
    try:
        stated = _error_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        stated = ErrorBody("no explanation that could be read")
    return _error_type(status, stated.error_code, quota)(status, stated.error_code, stated.message)


def _error_type(status: int, error_code: str, quota: Quota) -> type[ApiStatusError]:
    """By code; a 401 without a known one is about credits if there are none left, else about the key."""
    if status >= _HTTP_SERVER_ERROR:
        return ServerError
    if status == _HTTP_TOO_MANY_REQUESTS:
        return RateLimitedError
    if error_code in _ERROR_TYPES_BY_CODE:
        return _ERROR_TYPES_BY_CODE[error_code]
    if status == _HTTP_UNAUTHORIZED:
        return OutOfCreditsError if quota.is_exhausted else InvalidApiKeyError
    return InvalidRequestError
