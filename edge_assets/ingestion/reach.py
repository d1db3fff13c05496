"""What the answers to a request for a sport's odds cover: their silence about anything else withdraws nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.books import is_listed
from edge_assets.feeds.odds_api.naming import asked_with, markets_named

if TYPE_CHECKING:
    from edge_assets.feeds.odds_api.changes import Covers
    from edge_assets.feeds.odds_api.client import Asked
    from edge_assets.store.vocabulary import Vocabulary
    from ml.quotes import EventStarts, MarketTimes


class RequestReach:
    """Covers the markets that were asked for, of the books that were asked for or came in an answer all the same.

    What stands besides (after the regions or markets of the settings were changed, or a market was refused by the feed)
    was not asked for: it keeps its age, and ages.
    """

    def __init__(self, words: Vocabulary, asked: Asked) -> None:
        self.asked = asked
        self._words = words
        self._markets = asked_with(
            market for key in asked.markets for market in markets_named(key) or {words.market(key)}
        )
        self._regions = frozenset(asked.regions)
        self._shown: set[int] = set()
        self._is_asked = cache(self._is_named)

    def __call__(self, times: MarketTimes, _: EventStarts) -> Covers:
        """What an answer covers that shows these markets; requests are for all events of a sport."""
        self._shown.update(np.unique(times.book).tolist())
        return self._covers

    def _covers(self, _event: int, book: int, market: int) -> bool:
        return market in self._markets and (book in self._shown or self._is_asked(book))

    def _is_named(self, book: int) -> bool:
        key = self._words.book_key(book)
        return key in self.asked.bookmakers if self.asked.bookmakers else is_listed(key, self._regions)
