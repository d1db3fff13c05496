"""Parse and diff: the quotes that a payload of `/odds` changed since the last one.

One pass over the payload finds the bytes of every book on every event; only books whose bytes are new are
decoded, in them only markets whose outcomes are new, and of these only prices that differ become rows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from edge_assets.feeds.odds_api.changes import changed_quotes, market_times
from edge_assets.feeds.odds_api.lenient import LenientList
from edge_assets.feeds.odds_api.numbers import PriceFormat, wire_micros, wire_time
from edge_assets.feeds.odds_api.offers import NOTHING, restored, unread, vanished
from edge_assets.feeds.odds_api.reading import OfferReader
from edge_assets.feeds.odds_api.wire import UNREADABLE, misread
from edge_assets.matching import are_exchanged
from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch

if TYPE_CHECKING:
    from datetime import datetime

    from edge_assets.feeds.odds_api.offers import EventChange, EventOffer, Teams
    from edge_assets.feeds.odds_api.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Diff:
    """What one payload says: `quotes` only where changed or withdrawn, `times` and `starts` complete.

    `quotes_seen` counts the usable quotes on offer, `rejected` the unusable parts of the payload by reason.
    """

    quotes: QuoteBatch
    times: MarketTimes
    starts: EventStarts
    quotes_seen: int
    events: int
    rejected: Counter[str]


class EventBody(msgspec.Struct, gc=False, frozen=True):
    """An event as sent, its books unread."""

    id: str
    sport_key: str
    commence_time: str | int
    bookmakers: list[msgspec.Raw]
    home_team: str | None = None
    away_team: str | None = None

    @property
    def teams(self) -> tuple[str | None, str | None]:
        """Home and away; both None for an outright."""
        return self.home_team, self.away_team


_events = LenientList(EventBody, "malformed_event")


class PayloadDiffer:
    """Remembers the last payload of one sport and says what the next one changed.

    The memory moves only by `commit`, after the diff is safely stored: until then the same payload gives the
    same diff again.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        sport: str,
        sport_id: int,
        *,
        price_format: PriceFormat = PriceFormat.DECIMAL,
    ) -> None:
        self._vocabulary = vocabulary
        self._sport = sport
        self._sport_id = sport_id
        self._reader = OfferReader(vocabulary, price_format)
        self._committed: dict[int, EventOffer] = {}
        self._pending: dict[int, EventOffer] = {}

    def load(self, quotes: QuoteBatch) -> None:
        """Start from the quotes that are on offer according to the database."""
        self._committed = restored(quotes)

    def adopt(self, event: int, quotes: QuoteBatch) -> None:
        """Take the quotes that are on offer on an event from the database, where something else has changed them."""
        self._committed = {**self._committed, event: NOTHING} | restored(quotes)

    def read_as(self, price_format: PriceFormat) -> None:
        """Read the next payloads in this format; what is on offer stays, though the same bytes mean something else."""
        self._reader = OfferReader(self._vocabulary, price_format)
        self._committed = {event: unread(event, offer) for event, offer in self._committed.items()}

    def diff(self, body: bytes, observed_at: datetime) -> Diff:
        """Compare a payload with the committed state.

        Raises:
            TornBodyError, MalformedBodyError: the body is no complete list of events.
        """
        rejected: list[str] = []
        try:
            listed = _events.decode(body, rejected)
        except UNREADABLE as error:
            raise misread(body, error) from error
        state: dict[int, EventOffer] = {}
        starts: dict[int, Micros] = {}
        changes: list[EventChange] = []
        for sent in listed:
            identified = self._identify(sent, observed_at, rejected)
            if identified is None:
                continue
            event, teams = identified
            if event in state:
                rejected.append("duplicate_event")
                continue
            starts[event] = wire_micros(sent.commence_time)
            before = self._committed.get(event, NOTHING)
            state[event], change = self._reader.event(event, teams, sent.bookmakers, before, rejected)
            changes.append(change)
        changes += [vanished(event, offer) for event, offer in self._committed.items() if event not in state]
        self._pending = state
        offers = [offer for event in state.values() for offer in event.books.values()]
        rejected += chain.from_iterable(filter(None, map(attrgetter("rejected"), offers)))
        return Diff(
            quotes=changed_quotes(changes),
            times=market_times(offers),
            starts=EventStarts.of(starts.items()),
            quotes_seen=sum(map(attrgetter("quotes"), offers)),
            events=len(state),
            rejected=Counter(rejected),
        )

    def commit(self) -> None:
        """Take the last diffed payload for the new state."""
        self._committed = self._pending

    def _identify(self, sent: EventBody, observed_at: datetime, rejected: list[str]) -> tuple[int, Teams] | None:
        """The id of an event, and its teams by the names sent, home and away as the event has them."""
        if sent.sport_key != self._sport:
            rejected.append("other_sport")
            return None
        try:
            commence_at = wire_time(sent.commence_time)
        except ValueError:
            rejected.append("malformed_event")
            return None
        event = self._vocabulary.event(sent.id, self._sport_id, *sent.teams, commence_at, observed_at)
        exchanged = are_exchanged(self._sport, self._vocabulary.sides(event), sent.teams)
        if exchanged is None:
            rejected.append("other_teams")
            return None
        if exchanged:
            rejected.append("sides_exchanged")
        return event, sent.teams[::-1] if exchanged else sent.teams
