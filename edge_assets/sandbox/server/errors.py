"""Error responses of the API: status, code, message, link."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_GUIDE_URL = "https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#"
_PLANS_HINT = "See usage plans at https://the-odds-api.com"
_TIME_FORMAT_HINT = "The format must be YYYY-MM-DDTHH:MM:SSZ"


class ApiErrorSpec(NamedTuple):
    """HTTP status and message of an error code."""

    status: int
    message: str


# The messages of 401, UNKNOWN_SPORT, MISSING_REGION and INVALID_MARKET are those of the API as observed;
# the others imitate them.
ERROR_SPECS_BY_CODE = {
    "MISSING_KEY": ApiErrorSpec(401, "API key is missing"),
    "INVALID_KEY": ApiErrorSpec(401, "API key is not valid. Get an API key at https://the-odds-api.com"),
    "DEACTIVATED_KEY": ApiErrorSpec(
        401, "API key is deactivated. This could be due to cancelation or a failed payment"
    ),
    "OUT_OF_USAGE_CREDITS": ApiErrorSpec(401, f"Usage quota has been reached. {_PLANS_HINT}"),
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": ApiErrorSpec(
        401, f"Historical odds are only available on paid usage plans. {_PLANS_HINT}"
    ),
    "UNKNOWN_SPORT": ApiErrorSpec(404, "Unknown sport"),
    "EVENT_NOT_FOUND": ApiErrorSpec(404, "Event not found"),
    "EXCEEDED_FREQ_LIMIT": ApiErrorSpec(429, "Requests are too frequent"),
    "MISSING_REGION": ApiErrorSpec(422, "Missing regions or bookmakers key"),
    "MISSING_MARKET": ApiErrorSpec(422, "Missing markets"),
    "MISSING_HISTORICAL_TIMESTAMP": ApiErrorSpec(422, "Missing date parameter"),
    "INVALID_HISTORICAL_TIMESTAMP": ApiErrorSpec(422, f"Invalid date parameter. {_TIME_FORMAT_HINT}"),
    "INVALID_COMMENCE_TIME_FROM": ApiErrorSpec(422, f"Invalid commenceTimeFrom parameter. {_TIME_FORMAT_HINT}"),
    "INVALID_COMMENCE_TIME_TO": ApiErrorSpec(422, f"Invalid commenceTimeTo parameter. {_TIME_FORMAT_HINT}"),
    "INVALID_COMMENCE_TIME_RANGE": ApiErrorSpec(422, "commenceTimeFrom must not be after commenceTimeTo"),
    "INVALID_MARKET_COMBO": ApiErrorSpec(422, "Invalid market combination for this sport"),
    "INVALID_SCORES_DAYS_FROM": ApiErrorSpec(422, "Invalid daysFrom parameter. It must be an integer from 1 to 3"),
    "INVALID_EVENT_ID": ApiErrorSpec(422, "Invalid event id"),
}


class ApiError(Exception):
    """A request is rejected with one of the API's codes."""

    def __init__(self, code: str, message: str | None = None) -> None:
        spec = ERROR_SPECS_BY_CODE.get(code, ApiErrorSpec(422, f"Invalid parameter ({code})"))
        super().__init__(code)
        self.code = code
        self.status = spec.status
        self.message = message or spec.message

    def body(self) -> bytes:
        """The JSON body of the error; the API ends it with a newline."""
        anchor = self.code.lower().replace("_", "-")
        fields = {"message": self.message, "error_code": self.code, "details_url": _GUIDE_URL + anchor}
        return msgspec.json.encode(fields) + b"\n"
