"""Errors of the local stack, with a remedy for the user."""

from __future__ import annotations


class LocalError(RuntimeError):
    """The message states the problem; `remedy` is what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.remedy = remedy


class AddressTakenError(LocalError):
    """Another program took a port after it was chosen and before it was used: try another."""
