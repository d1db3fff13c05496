"""What an answer about a single event says, and which books and markets it covers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge_assets.feeds.odds_api.diff import Diff, PayloadDiffer
from edge_assets.feeds.odds_api.naming import cleaned, markets_named
from edge_assets.feeds.odds_api.numbers import PriceFormat
from edge_assets.store.scopes import Scope
from edge_assets.texts import UnusableTextError

if TYPE_CHECKING:
    from edge_assets.feeds.odds_api.vocabulary import Vocabulary
    from edge_assets.feeds.replay.recorded import RecordedSnapshot


class Said(NamedTuple):
    """All quotes of an answer, and its scope; without one where the event is not usable."""

    scope: Scope | None
    diff: Diff


def said_of(vocabulary: Vocabulary, sport: str, sport_id: int, snapshot: RecordedSnapshot) -> Said:
    """Read a snapshot by itself; the scope is that of a snapshot of one event."""
    differ = PayloadDiffer(vocabulary, sport, sport_id, price_format=format_of(snapshot))
    if not snapshot.is_of_one_event:
        return Said(None, differ.diff(snapshot.body, snapshot.captured_at))
    diff = differ.diff(b"[%b]" % snapshot.body, snapshot.captured_at)
    scopes = [_scope(vocabulary, event, snapshot) for event in diff.starts.event.tolist()]
    return Said(scopes[0] if scopes else None, diff)


def format_of(snapshot: RecordedSnapshot) -> PriceFormat:
    """How a snapshot writes prices."""
    return PriceFormat.AMERICAN if snapshot.content.american else PriceFormat.DECIMAL


def _scope(vocabulary: Vocabulary, event: int, snapshot: RecordedSnapshot) -> Scope:
    books = [book for sent in snapshot.events for book in sent.bookmakers]
    keys = {key for book in books for market in book.markets if (key := _usable(market.key))}
    markets = [markets_named(key) or {vocabulary.market(key)} for key in keys]
    shown = {vocabulary.book(key, _usable(book.title) or key) for book in books if (key := _usable(book.key))}
    return Scope(event, frozenset(shown), frozenset[int]().union(*markets))


def _usable(text: str) -> str:
    """A text as the differ takes it; empty where it takes none."""
    try:
        return cleaned(text)
    except UnusableTextError:
        return ""
