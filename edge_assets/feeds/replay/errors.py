"""The API's refusals: status, code, message, link."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

_GUIDE = "https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html#"
_PLANS = "See usage plans at https://the-odds-api.com"
_TIME_FORMAT = "The format must be YYYY-MM-DDTHH:MM:SSZ"


class Refusal(NamedTuple):
    """How a code is answered."""

    status: int
    message: str


# The messages of 401, UNKNOWN_SPORT, MISSING_REGION and INVALID_MARKET are the API's own words as observed;
# the others keep its tone.
REFUSALS = {
    "MISSING_KEY": Refusal(401, "API key is missing"),
    "INVALID_KEY": Refusal(401, "API key is not valid. Get an API key at https://the-odds-api.com"),
    "DEACTIVATED_KEY": Refusal(401, "API key is deactivated. This could be due to cancelation or a failed payment"),
    "OUT_OF_USAGE_CREDITS": Refusal(401, f"Usage quota has been reached. {_PLANS}"),
    "HISTORICAL_UNAVAILABLE_ON_FREE_USAGE_PLAN": Refusal(
        401, f"Historical odds are only available on paid usage plans. {_PLANS}"
    ),
    "UNKNOWN_SPORT": Refusal(404, "Unknown sport"),
    "EVENT_NOT_FOUND": Refusal(404, "Event not found"),
    "EXCEEDED_FREQ_LIMIT": Refusal(429, "Requests are too frequent"),
    "MISSING_REGION": Refusal(422, "Missing regions or bookmakers key"),
    "MISSING_MARKET": Refusal(422, "Missing markets"),
    "MISSING_HISTORICAL_TIMESTAMP": Refusal(422, "Missing date parameter"),
    "INVALID_HISTORICAL_TIMESTAMP": Refusal(422, f"Invalid date parameter. {_TIME_FORMAT}"),
    "INVALID_COMMENCE_TIME_FROM": Refusal(422, f"Invalid commenceTimeFrom parameter. {_TIME_FORMAT}"),
    "INVALID_COMMENCE_TIME_TO": Refusal(422, f"Invalid commenceTimeTo parameter. {_TIME_FORMAT}"),
    "INVALID_COMMENCE_TIME_RANGE": Refusal(422, "commenceTimeFrom must not be after commenceTimeTo"),
    "INVALID_MARKET_COMBO": Refusal(422, "Invalid market combination for this sport"),
    "INVALID_SCORES_DAYS_FROM": Refusal(422, "Invalid daysFrom parameter. It must be an integer from 1 to 3"),
    "INVALID_EVENT_ID": Refusal(422, "Invalid event id"),
}


class ApiError(Exception):
    """A request is refused with one of the API's codes."""

    def __init__(self, code: str, message: str | None = None) -> None:
        refusal = REFUSALS.get(code, Refusal(422, f"Invalid parameter ({code})"))
        super().__init__(code)
        self.code = code
        self.status = refusal.status
        self.message = message or refusal.message

    def body(self) -> bytes:
        """The error as the API writes it, with its trailing newline."""
        anchor = self.code.lower().replace("_", "-")
        fields = {"message": self.message, "error_code": self.code, "details_url": _GUIDE + anchor}
        return msgspec.json.encode(fields) + b"\n"
