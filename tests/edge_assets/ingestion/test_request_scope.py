"""What the responses to a request cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from edge_assets.feeds.odds_api.client import OddsRequest
from edge_assets.ingestion.request_scope import RequestScope
from ml.quotes import EventStarts, Market, MarketConfirmations
from tests.support.in_memory_ids import InMemoryIdResolver

if TYPE_CHECKING:
    from edge_assets.store.polls.dimensions import IdRegistry


class BookKeyVocabulary(InMemoryIdResolver):
    """Books by key, in memory."""

    def book_key(self, book_id: int) -> str:
        return str(self.books.name(book_id))


NO_STARTS = EventStarts.empty()


def test_requested_markets_and_books_are_covered() -> None:
    words = BookKeyVocabulary()
    us, eu, new, odd = (words.book(key, key) for key in ("draftkings", "pinnacle", "brand_new", "matchbook"))
    reach = RequestScope(cast("IdRegistry", words), OddsRequest(("us",), ("h2h", "player_points")))
    covers = reach(MarketConfirmations.empty(), NO_STARTS)
    h2h = [covers(1, book, Market.H2H) for book in (us, eu, new, odd)]
    assert h2h == [True, False, True, False]
    assert covers(1, us, Market.H2H_3_WAY_LAY)
    assert covers(1, us, words.market("player_points"))
    assert not covers(1, us, Market.TOTALS)


def test_an_unrequested_book_is_covered_once_it_appears() -> None:
    words = BookKeyVocabulary()
    book = words.book("pinnacle", "Pinnacle")
    reach = RequestScope(cast("IdRegistry", words), OddsRequest(("us",), ("h2h",)))
    assert not reach(MarketConfirmations.empty(), NO_STARTS)(1, book, Market.H2H)
    assert reach(MarketConfirmations.from_rows([(1, book, Market.H2H, 0)]), NO_STARTS)(1, book, Market.H2H)
    assert reach(MarketConfirmations.empty(), NO_STARTS)(1, book, Market.H2H)
    named = RequestScope(cast("IdRegistry", words), OddsRequest(("us",), ("h2h",), ("pinnacle",)))
    assert named(MarketConfirmations.empty(), NO_STARTS)(1, book, Market.H2H)
