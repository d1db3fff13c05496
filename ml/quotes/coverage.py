"""Scope of recorded responses: which missing quotes a response withdraws.

A recorded response does not include its request: regions or books, markets, events by id or by a window of starts. All
of these apply to a response as a whole, so whatever it shows for one event was requested for all of them. A response
covers every combination of the events, books and markets that it shows; no sequence of different requests to an
unchanged market can turn into withdrawals.

What a response does not show at all may not have been requested. It stays on offer and keeps its age, unless there is
evidence that it is gone:

- Each of the last `MIN_REPEATS` similar responses (sharing a book or an event with it) showed the book or the event, so
  the same request is being repeated. Not if the book's region is missing from the response: then the region was not
  requested.
- The event started `EVENT_OVER_AFTER_MICROS` ago or earlier: it is over.
- The response lists at least `LONG_LIST_EVENTS` events and, of the last response's events that start between its first
  and its last, misses at most one per `LONG_LIST_EVENTS`: no window of starts does that, and nobody requests so many
  events by id.
- A book that is in no list appears with the title of one that is not shown: it was renamed.

A response that shows no book covers what each of the last `MIN_REPEATS` responses showed; with fewer responses,
nothing.

Undecidable from responses alone: a narrower request after `MIN_REPEATS` identical wider ones; a window of starts that
leaves out events longer in play than `EVENT_OVER_AFTER_MICROS`; nine in ten of a long list of events by id; two
unlisted books with the same title, requested in turn. They look like the cases above and are treated as such.
Conversely, what leaves the market before it was shown `MIN_REPEATS` times stays and ages, if there is no other
evidence.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from ml.quotes.batch import MICROS_PER_DAY, MICROS_PER_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ml.quotes import Micros

K = TypeVar("K", int, str)
MIN_REPEATS = 20
"""Responses that must have shown something before one without it means that it is gone; at ten minutes each, three
hours."""
MAX_REMEMBERED_PAYLOADS = 10 * MIN_REPEATS
"""Responses searched for similar ones; bounds how many different requests may alternate."""
LONG_LIST_EVENTS = 10
EVENT_OVER_AFTER_MICROS: Micros = 3 * MICROS_PER_HOUR
FORGET_EVENT_AFTER_MICROS: Micros = 30 * MICROS_PER_DAY
"""Microseconds after the start of an event until it is forgotten."""


class BookListing(NamedTuple):
    """A book's title and the regions that list it; no regions if it is in no list."""

    title: str
    regions: frozenset[str]


class PayloadContents(NamedTuple, Generic[K]):
    """The books, the markets and the events with their starts that a response shows, and its moment."""

    books: frozenset[K]
    markets: frozenset[K]
    starts: Mapping[K, Micros]
    observed_at: Micros


class CoveredScope(NamedTuple, Generic[K]):
    """The books, markets and events that a response covers, in every combination."""

    books: frozenset[K]
    markets: frozenset[K]
    events: frozenset[K]


class CoverageTracker(Generic[K]):
    """Tracks responses in time order; books, markets and events are identified by key or by id."""

    def __init__(self, listing_of: Callable[[K], BookListing]) -> None:
        self._books: _BookTracker[K] = _BookTracker(listing_of)
        self._events: _EventTracker[K] = _EventTracker()
        self._markets: _RepeatTracker[K] = _RepeatTracker()

    def update(self, shown: PayloadContents[K]) -> CoveredScope[K]:
        """The scope of the next response, which shows `shown`."""
        missing_markets = self._markets.update(shown.markets)
        return CoveredScope(
            shown.books | self._books.update(shown.books),
            shown.markets or missing_markets,
            frozenset(shown.starts) | self._events.update(shown),
        )


class _RepeatTracker(Generic[K]):
    """Tracks what similar responses keep showing."""

    def __init__(self) -> None:
        self._recent: deque[frozenset[K]] = deque(maxlen=MAX_REMEMBERED_PAYLOADS)

    def update(self, shown: frozenset[K]) -> frozenset[K]:
        """What the next response is missing although each of the last similar ones showed it."""
        similar = list(islice((one for one in reversed(self._recent) if _is_similar(shown, one)), MIN_REPEATS))
        self._recent.append(shown)
        return frozenset.intersection(*similar) - shown if len(similar) == MIN_REPEATS else frozenset()


class _BookTracker(Generic[K]):
    """Tracks which books missing from a response are gone."""

    def __init__(self, listing_of: Callable[[K], BookListing]) -> None:
        self._listing_of: Callable[[K], BookListing] = listing_of
        self._repeats: _RepeatTracker[K] = _RepeatTracker()
        self._known: set[K] = set()
        self._renamed: dict[K, K] = {}

    def update(self, shown: frozenset[K]) -> frozenset[K]:
        """What the next response, which shows `shown`, withdraws."""
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
        """Whether the response shows a region of the book; a book listed in several regions is not evidence of any."""
        regions_of_book = self._listing_of(book).regions
        shown_regions = {
            region for one in shown if len(regions := self._listing_of(one).regions) == 1 for region in regions
        }
        return not shown or not regions_of_book or not regions_of_book.isdisjoint(shown_regions)


class _EventTracker(Generic[K]):
    """Tracks which events missing from a response are gone."""

    def __init__(self) -> None:
        self._repeats: _RepeatTracker[K] = _RepeatTracker()
        self._starts: dict[K, Micros] = {}
        self._last: frozenset[K] = frozenset()

    def update(self, shown: PayloadContents[K]) -> frozenset[K]:
        """What the next response, which shows `shown`, withdraws."""
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
        """The events missing in the middle of a long list."""
        if len(shown.starts) < LONG_LIST_EVENTS:
            return frozenset()
        first, last = min(shown.starts.values()), max(shown.starts.values())
        missing = [e for e in self._last - shown.starts.keys() if first <= self._starts.get(e, last + 1) <= last]
        is_short_of_few = len(missing) * LONG_LIST_EVENTS <= len(shown.starts)
        return frozenset(missing) if is_short_of_few else frozenset()


def _is_similar(shown: frozenset[K], other: frozenset[K]) -> bool:
    return not shown or not shown.isdisjoint(other)
