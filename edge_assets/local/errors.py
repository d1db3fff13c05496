"""What can go wrong with the local stack, told to a person."""

from __future__ import annotations


class LocalError(RuntimeError):
    """A problem whose text says what happened; `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy


class AddressTakenError(LocalError):
    """Another program took an address between its choice and its use: others may be free."""
