"""Parse a payload of `/odds` and find the quotes that changed since the last one.

One pass over the payload finds the bytes of every book on every event; only books whose bytes are new are decoded, in
them only markets whose outcomes are new, and of these only prices that differ become rows.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from edge_assets.core.clock import to_micros
from edge_assets.core.texts import UnusableTextError, is_same_name
from edge_assets.feeds.odds_api.book_state import NO_OFFER, restore_offers, strip_bytes, withdraw_event
from edge_assets.feeds.odds_api.changes import collect_changed_quotes, limit_to_coverage, unpack_market_times
from edge_assets.feeds.odds_api.conversions import PriceFormat, parse_wire_micros, parse_wire_time
from edge_assets.feeds.odds_api.events import read_events
from edge_assets.feeds.odds_api.limits import MAX_EVENTS_PER_PAYLOAD, cap_parts
from edge_assets.feeds.odds_api.market_mapping import clean_name, clean_sport_key
from edge_assets.feeds.odds_api.reading import OfferReader
from edge_assets.matching import are_sides_swapped, has_placeholder
from ml.quotes import EventStarts, MarketConfirmations, Micros, QuoteBatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from edge_assets.feeds.odds_api.book_state import EventChange, EventOffer, Teams
    from edge_assets.feeds.odds_api.changes import Covers, UncoveredOffers
    from edge_assets.feeds.odds_api.events import EventBody
    from edge_assets.feeds.odds_api.ids import IdResolver


DATA_ERRORS = (ValueError, TypeError, ArithmeticError, LookupError, RecursionError)
"""Errors that unexpected data may raise; database errors are not among them."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Diff:
    """The content of one payload: only changed or withdrawn `quotes`, but all `times` and `starts`.

    `quotes_seen` counts the usable quotes on offer, `rejected` the unusable parts of the payload by reason.
    """

    quotes: QuoteBatch
    times: MarketConfirmations
    starts: EventStarts
    quotes_seen: int
    events: int
    rejected: Counter[str]


CoverageRule: TypeAlias = "Callable[[MarketConfirmations, EventStarts], Covers | None]"
"""The coverage of a payload with these market confirmations and event starts; None if it covers everything."""


def cover_everything(_: MarketConfirmations, __: EventStarts) -> None:
    """The coverage of a request for everything that a sport has."""


class PayloadDiffer:
    """Remembers the last payload of one sport and finds what the next one changed.

    The state changes only on `commit`, after the diff is stored: until then the same payload gives the same diff again.
    """

    def __init__(
        self,
        ids: IdResolver,
        sport: str,
        sport_id: int,
        *,
        price_format: PriceFormat = PriceFormat.DECIMAL,
    ) -> None:
        self._ids = ids
        self._sport = sport
        self._sport_id = sport_id
        self._reader = OfferReader(ids, sport, price_format)
        self._committed: dict[int, EventOffer] = {}
        self._pending: dict[int, EventOffer] = {}
        self._uncovered: UncoveredOffers = {}
        self._pending_uncovered: UncoveredOffers = {}

    def load(self, quotes: QuoteBatch) -> None:
        """Start from the quotes on offer according to the database."""
        self._committed, self._uncovered = restore_offers(quotes), {}

    def reload_event(self, event: int, quotes: QuoteBatch) -> None:
        """Replace the state of an event with its quotes in the database, which another process has changed."""
        self._committed = {**self._committed, event: NO_OFFER} | restore_offers(quotes)
        self._uncovered = {key: offer for key, offer in self._uncovered.items() if key[0] != event}

    def set_price_format(self, price_format: PriceFormat) -> None:
        """Read the next payloads in this format; the offers stay, but their bytes have to be parsed again."""
        self._reader = OfferReader(self._ids, self._sport, price_format)
        self._committed = {event: strip_bytes(event, offer) for event, offer in self._committed.items()}

    def diff(self, body: bytes, observed_at: datetime, coverage_rule: CoverageRule = cover_everything) -> Diff:
        """Compare a payload with the committed state; offers that it does not cover are unchanged.

        Raises:
            InvalidJsonError, MalformedBodyError: the body is not a complete list of events.
        """
        rejected: list[str] = []
        listed = cap_parts(read_events(body, rejected), MAX_EVENTS_PER_PAYLOAD, "too_many_events", rejected)
        reader = self._reader.begin_payload(to_micros(observed_at))
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
            before = self._committed.get(event, NO_OFFER)
            try:
                state[event], change = reader.read_event(event, teams, sent.books, before, rejected)
            except DATA_ERRORS:
                # unexpected data in one event must not lose the others
                _log.exception("could not parse event %s", sent.id[:40])
                rejected.append("unreadable_event")
                continue
            starts[event] = parse_wire_micros(sent.commence_time)
            changes.append(change)
        changes += [withdraw_event(event, offer) for event, offer in self._committed.items() if event not in state]
        self._pending = state
        offers = [offer for event in state.values() for offer in event.books.values()]
        rejected += chain.from_iterable(filter(None, map(attrgetter("rejected"), offers)))
        times = unpack_market_times(offers)
        listed_starts = EventStarts.from_rows(starts.items())
        covers = coverage_rule(times, listed_starts)
        self._pending_uncovered = {}
        if covers is not None:
            changes, self._pending_uncovered = limit_to_coverage(changes, state, self._uncovered, covers)
        return Diff(
            quotes=collect_changed_quotes(changes),
            times=times,
            starts=listed_starts,
            quotes_seen=sum(map(attrgetter("quotes"), offers)),
            events=len(state),
            rejected=Counter(rejected),
        )

    def commit(self) -> None:
        """Make the last diffed payload the new state."""
        self._committed, self._uncovered = self._pending, self._pending_uncovered

    def _identify(self, sent: EventBody, observed_at: datetime, rejected: list[str]) -> tuple[int, Teams] | None:
        """The id of an event, and its teams by the names sent, in the order of the stored event."""
        if sent.sport_key != self._sport and (key := clean_sport_key(sent.sport_key)) != self._sport:
            rejected.append("other_sport" if key else "malformed_sport_key")
            return None
        try:
            commence_at = parse_wire_time(sent.commence_time)
            key = clean_name(sent.id)
            home, away = (team and clean_name(team) for team in sent.teams)
        except UnusableTextError as error:
            rejected.append(str(error))
            return None
        except ValueError:
            rejected.append("malformed_event")
            return None
        if is_same_name(home, away):
            rejected.append("same_team_twice")
            return None
        try:
            event = self._ids.event(key, self._sport_id, home, away, commence_at, observed_at)
        except UnusableTextError as error:
            rejected.append(str(error))
            return None
        is_swapped = self._is_swapped(event, (home, away), rejected)
        return None if is_swapped is None else (event, sent.teams[::-1] if is_swapped else sent.teams)

    def _is_swapped(self, event: int, teams: Teams, rejected: list[str]) -> bool | None:
        """Whether the payload has home and away swapped relative to the event; None if the teams differ."""
        ours = self._ids.sides(event)
        is_swapped = are_sides_swapped(self._sport, ours, teams)
        if has_placeholder(ours):
            is_swapped = bool(is_swapped)
            if not has_placeholder(teams):
                self._ids.name_sides(event, teams[::-1] if is_swapped else teams)
        elif is_swapped is None and has_placeholder(teams):
            is_swapped = False
        if is_swapped is None:
            rejected.append("other_teams")
        elif is_swapped:
            rejected.append("sides_exchanged")
        return is_swapped
