"""Parse recorded snapshots by themselves, and determine the scope of single-event responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.core.texts import UnusableTextError
from edge_assets.feeds.odds_api.conversions import PriceFormat
from edge_assets.feeds.odds_api.diff import Diff, PayloadDiffer
from edge_assets.feeds.odds_api.market_mapping import clean_name, markets_for_key
from edge_assets.store.polls.scope import Scope

if TYPE_CHECKING:
    from edge_assets.feeds.odds_api.ids import IdResolver
    from edge_assets.feeds.recordings.recording import RecordedSnapshot


class ParsedSnapshot(NamedTuple):
    """All quotes of a snapshot, and the scope of a single-event one; None if the event is unusable."""

    scope: Scope | None
    diff: Diff


def parse_snapshot(ids: IdResolver, sport: str, sport_id: int, snapshot: RecordedSnapshot) -> ParsedSnapshot:
    """Parse a snapshot without earlier state; only single-event snapshots get a scope."""
    differ = PayloadDiffer(ids, sport, sport_id, price_format=price_format_of(snapshot))
    if not snapshot.is_single_event:
        return ParsedSnapshot(None, differ.diff(snapshot.body, snapshot.captured_at))
    diff = differ.diff(b"[%b]" % snapshot.body, snapshot.captured_at)
    scopes = [_event_scope(ids, event, snapshot) for event in diff.starts.event.tolist()]
    return ParsedSnapshot(scopes[0] if scopes else None, diff)


def price_format_of(snapshot: RecordedSnapshot) -> PriceFormat:
    """The price format of a snapshot."""
    return PriceFormat.AMERICAN if snapshot.content.american else PriceFormat.DECIMAL


def _event_scope(ids: IdResolver, event: int, snapshot: RecordedSnapshot) -> Scope:
    books = [book for sent in snapshot.events for book in sent.bookmakers]
    keys = {key for book in books for market in book.markets if (key := _clean_or_empty(market.key))}
    markets = [markets_for_key(key) or {ids.market(key)} for key in keys]
    shown = {ids.book(key, _clean_or_empty(book.title) or key) for book in books if (key := _clean_or_empty(book.key))}
    return Scope(event, frozenset(shown), frozenset[int]().union(*markets))


def _clean_or_empty(text: str) -> str:
    """A text cleaned as by the differ; empty if it is unusable."""
    try:
        return clean_name(text)
    except UnusableTextError:
        return ""
