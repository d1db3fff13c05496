"""An id resolver in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.ids import IdResolver
from ml.quotes import FIRST_DYNAMIC_ID, Market

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime


class Ids:
    def __init__(self, first: int) -> None:
        self._first = first
        self._ids: dict[Hashable, int] = {}

    def of(self, name: Hashable) -> int:
        return self._ids.setdefault(name, self._first + len(self._ids))

    def name(self, number: int) -> Hashable:
        return list(self._ids)[number - self._first]


class InMemoryIdResolver(IdResolver):
    """Assigns ids in the order of the names; records every start time of an event."""

    def __init__(self) -> None:
        self.sports, self.books, self.events = Ids(1), Ids(1), Ids(1)
        self.markets, self.outcomes = Ids(FIRST_DYNAMIC_ID), Ids(FIRST_DYNAMIC_ID)
        self.starts: dict[int, list[datetime]] = {}
        self.teams: dict[int, tuple[str | None, str | None]] = {}

    def sport(self, key: str, title: str) -> int:
        return self.sports.of(key)

    def book(self, key: str, title: str) -> int:
        return self.books.of(key)

    def market(self, key: str) -> int:
        return int(Market[key.upper()]) if key.upper() in Market.__members__ else self.markets.of(key)

    def outcome(self, name: str, description: str | None) -> int:
        return self.outcomes.of((name, description))

    def event(
        self,
        key: str,
        sport_id: int,
        home: str | None,
        away: str | None,
        commence_at: datetime,
        observed_at: datetime,
    ) -> int:
        number = self.events.of(key)
        history = self.starts.setdefault(number, [])
        if commence_at not in history[-1:]:
            history.append(commence_at)
        self.teams.setdefault(number, (home, away))
        return number

    def sides(self, event_id: int) -> tuple[str | None, str | None]:
        return self.teams[event_id]

    def name_sides(self, event_id: int, sides: tuple[str | None, str | None]) -> None:
        self.teams[event_id] = sides
