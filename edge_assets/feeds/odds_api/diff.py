"""Parse and diff: the quotes that a payload of `/odds` changed since the last one.

One pass over the payload finds the bytes of every book on every event; only books whose bytes are new are
decoded, in them only markets whose outcomes are new, and of these only prices that differ become rows.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from edge_assets.clock import micros
from edge_assets.feeds.odds_api.changes import bounded, changed_quotes, market_times
from edge_assets.feeds.odds_api.events import read_events
from edge_assets.feeds.odds_api.limits import MAX_EVENTS, capped
from edge_assets.feeds.odds_api.naming import cleaned, sport_key_of
from edge_assets.feeds.odds_api.numbers import PriceFormat, wire_micros, wire_time
from edge_assets.feeds.odds_api.offers import NOTHING, restored, unread, vanished
from edge_assets.feeds.odds_api.reading import OfferReader
from edge_assets.matching import are_exchanged, has_placeholder
from edge_assets.texts import UnusableTextError, is_one_name
from ml.quotes import EventStarts, MarketTimes, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_assets.feeds.odds_api.changes import Aside, Covers
    from edge_assets.feeds.odds_api.events import EventBody
    from edge_assets.feeds.odds_api.offers import EventChange, EventOffer, Teams
    from edge_assets.feeds.odds_api.vocabulary import Vocabulary


DATA_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError)
"""What reading a value raises that nobody thought of; what the database raises is none of these."""

_log = logging.getLogger(__name__)


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


Reach: TypeAlias = "Callable[[MarketTimes, EventStarts], Covers | None]"
"""What an answer covers that shows such markets and lists such events; None for all that stands."""


def of_everything(_: MarketTimes, __: EventStarts) -> None:
    """The reach of an answer that was asked for all that a sport has."""


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
        self._reader = OfferReader(vocabulary, sport, price_format)
        self._committed: dict[int, EventOffer] = {}
        self._pending: dict[int, EventOffer] = {}
        self._aside: Aside = {}
        self._pending_aside: Aside = {}

    def load(self, quotes: QuoteBatch) -> None:
        """Start from the quotes that are on offer according to the database."""
        self._committed, self._aside = restored(quotes), {}

    def adopt(self, event: int, quotes: QuoteBatch) -> None:
        """Take the quotes that are on offer on an event from the database, where something else has changed them."""
        self._committed = {**self._committed, event: NOTHING} | restored(quotes)
        self._aside = {key: offer for key, offer in self._aside.items() if key[0] != event}

    def read_as(self, price_format: PriceFormat) -> None:
        """Read the next payloads in this format; what is on offer stays, though the same bytes mean something else."""
        self._reader = OfferReader(self._vocabulary, self._sport, price_format)
        self._committed = {event: unread(event, offer) for event, offer in self._committed.items()}

    def diff(self, body: bytes, observed_at: datetime, reach: Reach = of_everything) -> Diff:
        """Compare a payload with the committed state; what it does not reach stays as it is.

        Raises:
            TornBodyError, MalformedBodyError: the body is no complete list of events.
        """
        rejected: list[str] = []
        listed = capped(read_events(body, rejected), MAX_EVENTS, "too_many_events", rejected)
        reader = self._reader.at(micros(observed_at))
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
            before = self._committed.get(event, NOTHING)
            try:
                state[event], change = reader.event(event, teams, sent.books, before, rejected)
            except DATA_ERRORS:
                # of a kind that nobody has met: the other events have nothing to do with it
                _log.exception("event %s cannot be read", sent.id[:40])
                rejected.append("unreadable_event")
                continue
            starts[event] = wire_micros(sent.commence_time)
            changes.append(change)
        changes += [vanished(event, offer) for event, offer in self._committed.items() if event not in state]
        self._pending = state
        offers = [offer for event in state.values() for offer in event.books.values()]
        rejected += chain.from_iterable(filter(None, map(attrgetter("rejected"), offers)))
        times = market_times(offers)
        listed_starts = EventStarts.of(starts.items())
        covers = reach(times, listed_starts)
        self._pending_aside = {}
        if covers is not None:
            changes, self._pending_aside = bounded(changes, state, self._aside, covers)
        return Diff(
            quotes=changed_quotes(changes),
            times=times,
            starts=listed_starts,
            quotes_seen=sum(map(attrgetter("quotes"), offers)),
            events=len(state),
            rejected=Counter(rejected),
        )

    def commit(self) -> None:
        """Take the last diffed payload for the new state."""
        self._committed, self._aside = self._pending, self._pending_aside

    def _identify(self, sent: EventBody, observed_at: datetime, rejected: list[str]) -> tuple[int, Teams] | None:
        """The id of an event, and its teams by the names sent, home and away as the event has them."""
        if sent.sport_key != self._sport and (key := sport_key_of(sent.sport_key)) != self._sport:
            rejected.append("other_sport" if key else "malformed_sport_key")
            return None
        try:
            commence_at = wire_time(sent.commence_time)
            key = cleaned(sent.id)
            home, away = (team and cleaned(team) for team in sent.teams)
        except UnusableTextError as refusal:
            rejected.append(str(refusal))
            return None
        except ValueError:
            rejected.append("malformed_event")
            return None
        if is_one_name(home, away):
            rejected.append("same_team_twice")
            return None
        try:
            event = self._vocabulary.event(key, self._sport_id, home, away, commence_at, observed_at)
        except UnusableTextError as refusal:
            rejected.append(str(refusal))
            return None
        exchanged = self._are_exchanged(event, (home, away), rejected)
        return None if exchanged is None else (event, sent.teams[::-1] if exchanged else sent.teams)

    def _are_exchanged(self, event: int, teams: Teams, rejected: list[str]) -> bool | None:
        """Whether the answer has home and away the other way round than the event; None if it is about other teams."""
        ours = self._vocabulary.sides(event)
        exchanged = are_exchanged(self._sport, ours, teams)
        if has_placeholder(ours):
            exchanged = bool(exchanged)
            if not has_placeholder(teams):
                self._vocabulary.name_sides(event, teams[::-1] if exchanged else teams)
        elif exchanged is None and has_placeholder(teams):
            exchanged = False
        if exchanged is None:
            rejected.append("other_teams")
        elif exchanged:
            rejected.append("sides_exchanged")
        return exchanged
