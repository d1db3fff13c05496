"""What an answer would show if it were on offer: only about that does its silence say anything.

A recorded answer does not say what was asked: regions or books, markets, events by id or by a window of their starts.
All of these bound an answer as a whole, so what it shows somewhere was asked for everywhere. Of its events, its books
and its markets it covers every combination, whoever asked what: no sequence of requests to a market that stands still
can make a withdrawal of that.

What an answer does not show at all may not have been asked for. It stands and keeps its age, unless there is evidence:

- Each of the last `MIN_REPEATS` answers like it (which share a book or an event with it) showed the book or the event:
the
  question is repeated, until now without a change. Not so where a book's region is not among those that the answer
  shows: then the region was left out.
- The event began `EVENT_OVER_AFTER_MICROS` ago or earlier: it is over.
- The answer lists `LONG_LIST_EVENTS` events or more and lacks, of those that start between its first and its last, no
more
  than one in `LONG_LIST_EVENTS` of the last answer's: no window leaves those out, and nobody names so many events by
  id.
- A book that is in no list turns up with the title of one that is not shown: it was renamed.

An answer that shows no book covers what each of the last `MIN_REPEATS` answers showed, and without so many nothing.

Undecidable from answers alone: a narrower question after `MIN_REPEATS` times the same wider one; a window of starts
that leaves out events longer in play than `EVENT_OVER_AFTER_MICROS`; nine in ten of a long list of events by id; two
books of one title that are in no list, asked for in turn. They look like what is said above, and are taken for it. In
turn, what leaves the market before it was shown `MIN_REPEATS` times stands and ages, if nothing else tells.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.quotes import Micros

K = TypeVar("K", int, str)
MIN_REPEATS = 20
"""Answers that show the same before a single one without it says that it is gone; at ten minutes each, three hours."""
MAX_REMEMBERED_PAYLOADS = 10 * MIN_REPEATS
"""Answers that are looked through for ones like the present: as many questions can be asked in turn as fit in."""
LONG_LIST_EVENTS = 10
EVENT_OVER_AFTER_MICROS: Micros = 3 * 3600 * 1_000_000
FORGET_EVENT_AFTER_MICROS: Micros = 30 * 24 * 3600 * 1_000_000
"""Microseconds from the start of an event until nothing more is said of it."""


class BookListing(NamedTuple):
    """What is known of a book: its title and the regions that list it, none where it is in no list."""

    title: str
    regions: frozenset[str]


class PayloadContents(NamedTuple, Generic[K]):
    """The books, the markets and the events with their starts that an answer of a moment shows."""

    books: frozenset[K]
    markets: frozenset[K]
    starts: Mapping[K, Micros]
    observed_at: Micros


class CoveredScope(NamedTuple, Generic[K]):
    """The books, the markets and the events that an answer would show, in every combination."""

    books: frozenset[K]
    markets: frozenset[K]
    events: frozenset[K]


class CoverageTracker(Generic[K]):
    """Follows answers in order of time; books, markets and events are known by key or by id."""

    def __init__(self, listing_of: Callable[[K], BookListing]) -> None:
        self._books: _BookTracker[K] = _BookTracker(listing_of)
        self._events: _EventTracker[K] = _EventTracker()
        self._markets: _RepeatTracker[K] = _RepeatTracker()

    def update(self, shown: PayloadContents[K]) -> CoveredScope[K]:
        """What the next answer covers, which shows this."""
        missing_markets = self._markets.update(shown.markets)
        return CoveredScope(
            shown.books | self._books.update(shown.books),
            shown.markets or missing_markets,
            frozenset(shown.starts) | self._events.update(shown),
        )


class _RepeatTracker(Generic[K]):
    """What answers keep showing."""

    def __init__(self) -> None:
        self._recent: deque[frozenset[K]] = deque(maxlen=MAX_REMEMBERED_PAYLOADS)

    def update(self, shown: frozenset[K]) -> frozenset[K]:
        """What the next answer lacks, though each of the last ones like it showed it."""
        similar = list(islice((one for one in reversed(self._recent) if _is_similar(shown, one)), MIN_REPEATS))
        self._recent.append(shown)
        return frozenset.intersection(*similar) - shown if len(similar) == MIN_REPEATS else frozenset()


class _BookTracker(Generic[K]):
    """Which books of those that an answer lacks are gone."""

    def __init__(self, listing_of: Callable[[K], BookListing]) -> None:
        self._listing_of: Callable[[K], BookListing] = listing_of
        self._repeats: _RepeatTracker[K] = _RepeatTracker()
        self._known: set[K] = set()
        self._renamed: dict[K, K] = {}

    def update(self, shown: frozenset[K]) -> frozenset[K]:
        """Those that the next answer withdraws, which shows some."""
        missing = self._repeats.update(shown)
        self._track_renames(shown)
        renamed = {old for old, new in self._renamed.items() if new in shown}
        return frozenset(book for book in missing if self._is_region_shown(book, shown)) | renamed

    def _track_renames(self, shown: frozenset[K]) -> None:
        self._renamed = {old: new for old, new in self._renamed.items() if old not in shown}
        absent = {self._listing_of(book).title: book for book in self._known - shown}
        unlisted = [book for book in shown - self._known if not self._listing_of(book).regions]
        for book in unlisted:
            if (old := absent.get(self._listing_of(book).title)) is not None:
                self._renamed[old] = book
        self._known |= shown

    def _is_region_shown(self, book: K, shown: frozenset[K]) -> bool:
        """Whether the answer shows a region of the book; one that several regions list tells none of them."""
        regions_of_book = self._listing_of(book).regions
        shown_regions = {
            region for one in shown if len(regions := self._listing_of(one).regions) == 1 for region in regions
        }
        return not shown or not regions_of_book or not regions_of_book.isdisjoint(shown_regions)


class _EventTracker(Generic[K]):
    """Which events of those that an answer lacks are gone."""

    def __init__(self) -> None:
        self._repeats: _RepeatTracker[K] = _RepeatTracker()
        self._starts: dict[K, Micros] = {}
        self._last: frozenset[K] = frozenset()

    def update(self, shown: PayloadContents[K]) -> frozenset[K]:
        """Those that the next answer withdraws, which shows some."""
        listed = frozenset(shown.starts)
        missing = self._repeats.update(listed)
        over = {event for event, start in self._starts.items() if start <= shown.observed_at - EVENT_OVER_AFTER_MICROS}
        missing_between = self._find_missing_between(shown)
        self._starts |= shown.starts
        self._starts = {
            e: start for e, start in self._starts.items() if start > shown.observed_at - FORGET_EVENT_AFTER_MICROS
        }
        self._last = listed or self._last
        return (missing | over | missing_between) - listed

    def _find_missing_between(self, shown: PayloadContents[K]) -> frozenset[K]:
        """What is missing in the midst of a long list."""
        if len(shown.starts) < LONG_LIST_EVENTS:
            return frozenset()
        first, last = min(shown.starts.values()), max(shown.starts.values())
        missing = [e for e in self._last - shown.starts.keys() if first <= self._starts.get(e, last + 1) <= last]
        is_short_of_few = len(missing) * LONG_LIST_EVENTS <= len(shown.starts)
        return frozenset(missing) if is_short_of_few else frozenset()


def _is_similar(shown: frozenset[K], other: frozenset[K]) -> bool:
    return not shown or not shown.isdisjoint(other)
