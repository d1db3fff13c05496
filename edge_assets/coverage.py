"""What an answer would show if it were on offer: only about that does its silence say anything.

A recorded answer does not say what was asked: regions or books, markets, events by id or by a window of their starts.
All of these bound an answer as a whole, so what it shows somewhere was asked for everywhere. Of its events, its books
and its markets it covers every combination, whoever asked what: no sequence of requests to a market that stands still
can make a withdrawal of that.

What an answer does not show at all may not have been asked for. It stands and keeps its age, unless there is evidence:

- Each of the last `REPEATED` answers like it (which share a book or an event with it) showed the book or the event: the
  question is repeated, until now without a change. Not so where a book's region is not among those that the answer
  shows: then the region was left out.
- The event began `OVER_AFTER` ago or earlier: it is over.
- The answer lists `PICKED_UP_TO` events or more and lacks, of those that start between its first and its last, no more
  than one in `PICKED_UP_TO` of the last answer's: no window leaves those out, and nobody names so many events by id.
- A book that is in no list turns up with the title of one that is not shown: it was renamed.

An answer that shows no book covers what each of the last `REPEATED` answers showed, and without so many nothing.

Undecidable from answers alone: a narrower question after `REPEATED` times the same wider one; a window of starts that
leaves out events longer in play than `OVER_AFTER`; nine in ten of a long list of events by id; two books of one title
that are in no list, asked for in turn. They look like what is said above, and are taken for it. In turn, what
leaves the market before it was shown `REPEATED` times stands and ages, if nothing else tells.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.quotes import Micros

K = TypeVar("K", int, str)
REPEATED = 20
"""Answers that show the same before a single one without it says that it is gone; at ten minutes each, three hours."""
REMEMBERED = 10 * REPEATED
"""Answers that are looked through for ones like the present: as many questions can be asked in turn as fit in."""
PICKED_UP_TO = 10
OVER_AFTER: Micros = 3 * 3600 * 1_000_000
FORGOTTEN_AFTER: Micros = 30 * 24 * 3600 * 1_000_000
"""Microseconds from the start of an event until nothing more is said of it."""


class Profile(NamedTuple):
    """What is known of a book: its title and the regions that list it, none where it is in no list."""

    title: str
    regions: frozenset[str]


class Answer(NamedTuple, Generic[K]):
    """The books, the markets and the events with their starts that an answer of a moment shows."""

    books: frozenset[K]
    markets: frozenset[K]
    starts: Mapping[K, Micros]
    at: Micros


class Covered(NamedTuple, Generic[K]):
    """The books, the markets and the events that an answer would show, in every combination."""

    books: frozenset[K]
    markets: frozenset[K]
    events: frozenset[K]


class Coverage(Generic[K]):
    """Follows answers in order of time; books, markets and events are known by key or by id."""

    def __init__(self, profile: Callable[[K], Profile]) -> None:
        self._books: _Books[K] = _Books(profile)
        self._events: _Events[K] = _Events()
        self._markets: _Habit[K] = _Habit()

    def follow(self, shown: Answer[K]) -> Covered[K]:
        """What the next answer covers, which shows this."""
        usual = self._markets.lacking(shown.markets)
        return Covered(
            shown.books | self._books.gone(shown.books),
            shown.markets or usual,
            frozenset(shown.starts) | self._events.gone(shown),
        )


class _Habit(Generic[K]):
    """What answers keep showing."""

    def __init__(self) -> None:
        self._answers: deque[frozenset[K]] = deque(maxlen=REMEMBERED)

    def lacking(self, shown: frozenset[K]) -> frozenset[K]:
        """What the next answer lacks, though each of the last ones like it showed it."""
        alike = list(islice((one for one in reversed(self._answers) if _is_alike(shown, one)), REPEATED))
        self._answers.append(shown)
        return frozenset.intersection(*alike) - shown if len(alike) == REPEATED else frozenset()


class _Books(Generic[K]):
    """Which books of those that an answer lacks are gone."""

    def __init__(self, profile: Callable[[K], Profile]) -> None:
        self._profile: Callable[[K], Profile] = profile
        self._habit: _Habit[K] = _Habit()
        self._known: set[K] = set()
        self._renamed: dict[K, K] = {}

    def gone(self, shown: frozenset[K]) -> frozenset[K]:
        """Those that the next answer withdraws, which shows some."""
        usual = self._habit.lacking(shown)
        self._rename(shown)
        renamed = {old for old, new in self._renamed.items() if new in shown}
        return frozenset(book for book in usual if self._is_asked(book, shown)) | renamed

    def _rename(self, shown: frozenset[K]) -> None:
        self._renamed = {old: new for old, new in self._renamed.items() if old not in shown}
        absent = {self._profile(book).title: book for book in self._known - shown}
        unlisted = [book for book in shown - self._known if not self._profile(book).regions]
        for book in unlisted:
            if (old := absent.get(self._profile(book).title)) is not None:
                self._renamed[old] = book
        self._known |= shown

    def _is_asked(self, book: K, shown: frozenset[K]) -> bool:
        """Whether the answer shows a region of the book; one that several regions list tells none of them."""
        own = self._profile(book).regions
        told = {region for one in shown if len(regions := self._profile(one).regions) == 1 for region in regions}
        return not shown or not own or not own.isdisjoint(told)


class _Events(Generic[K]):
    """Which events of those that an answer lacks are gone."""

    def __init__(self) -> None:
        self._habit: _Habit[K] = _Habit()
        self._starts: dict[K, Micros] = {}
        self._last: frozenset[K] = frozenset()

    def gone(self, shown: Answer[K]) -> frozenset[K]:
        """Those that the next answer withdraws, which shows some."""
        listed = frozenset(shown.starts)
        usual = self._habit.lacking(listed)
        over = {event for event, start in self._starts.items() if start <= shown.at - OVER_AFTER}
        taken = self._taken_out(shown)
        self._starts |= shown.starts
        self._starts = {e: start for e, start in self._starts.items() if start > shown.at - FORGOTTEN_AFTER}
        self._last = listed or self._last
        return (usual | over | taken) - listed

    def _taken_out(self, shown: Answer[K]) -> frozenset[K]:
        """What is missing in the midst of a long list."""
        if len(shown.starts) < PICKED_UP_TO:
            return frozenset()
        first, last = min(shown.starts.values()), max(shown.starts.values())
        missing = [e for e in self._last - shown.starts.keys() if first <= self._starts.get(e, last + 1) <= last]
        is_short_of_few = len(missing) * PICKED_UP_TO <= len(shown.starts)
        return frozenset(missing) if is_short_of_few else frozenset()


def _is_alike(shown: frozenset[K], other: frozenset[K]) -> bool:
    return not shown or not shown.isdisjoint(other)
