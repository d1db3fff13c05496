"""What an answer would show if it were on offer: only about that does its silence say anything.

Captures ask for one region or one market at a time, and say nowhere what they asked for. So it is taken from what
answers show, in order of time:

- An answer covers the markets that it shows anywhere, and no others.
- It covers the books that it shows anywhere, and of those that it lacks the ones that would have been among them: a
  book that last came in an answer of which it shows half of the books or more (it repeats that question); a book of a
  region that one of its own books is listed in and in no other; and a book whose title one of its own has (it was
  renamed).
- An answer that shows nothing covers everything, as long as all answers before it repeated one question; else nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K", int, str)
REPEATED_FROM = 0.5
"""The share of the books of an answer from which on another one repeats its question."""


class Profile(NamedTuple):
    """What tells whether a book was asked for: its title and the regions that list it, none where they are unknown."""

    title: str
    regions: frozenset[str]


class Covered(NamedTuple, Generic[K]):
    """The books and the markets that an answer would show."""

    books: frozenset[K]
    markets: frozenset[K]


class Coverage(Generic[K]):
    """Follows answers in order of time; books and markets are known by key or by id."""

    def __init__(self, profile: Callable[[K], Profile]) -> None:
        self._profile: Callable[[K], Profile] = profile
        self._came_with: dict[K, frozenset[K]] = {}
        self._asked_with: dict[K, frozenset[K]] = {}
        self._last: Covered[K] = Covered(frozenset(), frozenset())

    def follow(self, books: frozenset[K], markets: frozenset[K]) -> Covered[K]:
        """What the next answer covers, which shows these."""
        if not books:
            return self._silent()
        absent = frozenset(book for book in self._came_with.keys() - books if self._would_show(book, books))
        self._came_with |= dict.fromkeys(books, books)
        self._asked_with |= dict.fromkeys(markets, markets)
        self._last = Covered(books, markets)
        return Covered(books | absent, markets)

    def _silent(self) -> Covered[K]:
        def is_one(asked: dict[K, frozenset[K]], last: frozenset[K]) -> bool:
            return not any(last.isdisjoint(others) for others in asked.values())

        if is_one(self._came_with, self._last.books) and is_one(self._asked_with, self._last.markets):
            return Covered(frozenset(self._came_with), frozenset(self._asked_with))
        return Covered(frozenset(), frozenset())

    def _would_show(self, book: K, books: frozenset[K]) -> bool:
        others = self._came_with[book]
        if len(others & books) >= REPEATED_FROM * len(others):
            return True
        profiles = list(map(self._profile, books))
        own = self._profile(book)
        regions = {region for profile in profiles if len(profile.regions) == 1 for region in profile.regions}
        return not own.regions.isdisjoint(regions) or any(own.title == profile.title for profile in profiles)
