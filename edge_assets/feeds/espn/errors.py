"""What ESPN can answer instead of a scoreboard."""


class EspnError(Exception):
    """The base of everything that the feed can raise; `reason` is what is counted where only a day is lost."""

    reason = "board_unknown"


class EspnTransportError(EspnError):
    """No complete answer arrived, after all retries."""

    reason = "board_not_received"


class EspnSlowResponseError(EspnTransportError):
    """An answer came, but so slowly that it was given up; the next one would come no faster."""


class EspnStatusError(EspnError):
    """An answer with an HTTP `status` of 400 or above."""

    reason = "board_refused"

    def __init__(self, status: int) -> None:
        super().__init__(f"ESPN answered {status}")
        self.status = status


class EspnMalformedBodyError(EspnError):
    """An answer that is no scoreboard, or longer than any can be."""

    reason = "board_malformed"


class UnknownLeagueError(EspnError):
    """A sport that ESPN is not asked for; the key is the text."""
