"""What the answers to a request cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from edge_assets.feeds.odds_api.client import Asked
from edge_assets.ingestion.reach import RequestReach
from ml.quotes import EventStarts, Market, MarketTimes
from tests.edge_assets.feeds.odds_api.memory import MemoryVocabulary

if TYPE_CHECKING:
    from edge_assets.store.vocabulary import Vocabulary


class Words(MemoryVocabulary):
    """Books by key, in memory."""

    def book_key(self, book_id: int) -> str:
        return str(self.books.name(book_id))


NO_STARTS = EventStarts.empty()


def test_markets_and_books_that_were_asked_for() -> None:
    words = Words()
    us, eu, new, odd = (words.book(key, key) for key in ("draftkings", "pinnacle", "brand_new", "matchbook"))
    reach = RequestReach(cast("Vocabulary", words), Asked(("us",), ("h2h", "player_points")))
    covers = reach(MarketTimes.empty(), NO_STARTS)
    h2h = [covers(1, book, Market.H2H) for book in (us, eu, new, odd)]
    assert h2h == [True, False, True, False]
    assert covers(1, us, Market.H2H_3_WAY_LAY)
    assert covers(1, us, words.market("player_points"))
    assert not covers(1, us, Market.TOTALS)


def test_a_book_that_comes_all_the_same_is_covered_from_then_on() -> None:
    words = Words()
    book = words.book("pinnacle", "Pinnacle")
    reach = RequestReach(cast("Vocabulary", words), Asked(("us",), ("h2h",)))
    assert not reach(MarketTimes.empty(), NO_STARTS)(1, book, Market.H2H)
    assert reach(MarketTimes.of([(1, book, Market.H2H, 0)]), NO_STARTS)(1, book, Market.H2H)
    assert reach(MarketTimes.empty(), NO_STARTS)(1, book, Market.H2H)
    named = RequestReach(cast("Vocabulary", words), Asked(("us",), ("h2h",), ("pinnacle",)))
    assert named(MarketTimes.empty(), NO_STARTS)(1, book, Market.H2H)
