"""Why the server ends a connection."""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Numbered reasons, part of the contract in `PROTOCOL.md`."""

    TRY_AGAIN_LATER = 1013
    MALFORMED = 4400
    UNAUTHORISED = 4401
    AUTH_TIMEOUT = 4408
    UNKNOWN_RESUME_ID = 4409
    TOO_SLOW = 4413


class CloseConnection(Exception):  # noqa: N818 - a decision, not an error
    """The decision to close a connection, with the code and reason for the client."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
