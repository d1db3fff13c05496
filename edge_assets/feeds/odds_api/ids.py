"""What the differ needs to know about names: an id for each, the same one for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class IdResolver(Protocol):
    """Gives ids to the names that a feed uses, creating them where they are new.

    A name that cannot be kept is an `UnusableTextError`.
    """

    def sport(self, key: str, title: str) -> int:
        """The id of a sport."""
        ...

    def book(self, key: str, title: str) -> int:
        """The id of a bookmaker or exchange."""
        ...

    def market(self, key: str) -> int:
        """The id of a market; those of `ml.quotes.Market` are fixed."""
        ...

    def outcome(self, name: str, description: str | None) -> int:
        """The id of an outcome that `ml.quotes.Outcome` does not name."""
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
        """The id of an event, whose start may have moved since it was last seen."""
        ...

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        """Home and away of an event that `event` has given an id; their names may be another source's."""
        ...

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        """Put teams in the place of an event's placeholders, now that they are known."""
        ...
