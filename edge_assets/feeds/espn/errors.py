"""Errors of the ESPN client."""


class EspnError(Exception):
    """The base class. `reason` is the rejection reason when only some days fail."""

    reason = "board_unknown"


class EspnTransportError(EspnError):
    """No complete response arrived, after all retries."""

    reason = "board_not_received"


class EspnSlowResponseError(EspnTransportError):
    """A response was too slow and was abandoned. Not retried: the next one would be no faster."""


class EspnStatusError(EspnError):
    """A response with an HTTP `status` of 400 or above."""

    reason = "board_refused"

    def __init__(self, status: int) -> None:
        super().__init__(f"ESPN answered {status}")
        self.status = status


class EspnMalformedBodyError(EspnError):
    """A response that is not a scoreboard, or too large."""

    reason = "board_malformed"


class UnknownLeagueError(EspnError):
    """A sport without an ESPN league; the message is its key."""
