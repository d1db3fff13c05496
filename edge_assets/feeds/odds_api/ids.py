"""The differ's interface to ids: each name has one permanent id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class IdResolver(Protocol):
    """Resolves the names that a feed uses to ids, creating new ones as needed.

    Raises `UnusableTextError` for a name that cannot be stored.
    """

    def sport(self, key: str, title: str) -> int:
        """The id of a sport."""
        ...

    def book(self, key: str, title: str) -> int:
        """The id of a bookmaker or exchange."""
        ...

    def market(self, key: str) -> int:
        """The id of a market; ids of `ml.quotes.Market` members are fixed."""
        ...

    def outcome(self, name: str, description: str | None) -> int:
        """The id of an outcome that is not in `ml.quotes.Outcome`."""
        ...

    def event(
        self,
        key: str,
        sport_id: int,
        home: str | None,
        away: str | None,
        commence_at: datetime,
        observed_at: datetime,
    ) -> int:
        """The id of an event; its start may have moved."""
        ...

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        """Home and away of an event with an id from `event`, possibly as another source names them."""
        ...

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        """Replace an event's placeholders with the teams, once known."""
        ...
