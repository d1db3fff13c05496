"""What the responses to an odds request cover. Prices outside of it are not withdrawn when they are missing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from edge_assets.feeds.odds_api.market_mapping import markets_for_key, markets_returned_for
from edge_assets.reference.books import is_listed_in

if TYPE_CHECKING:
    from edge_assets.feeds.odds_api.changes import Covers
    from edge_assets.feeds.odds_api.client import OddsRequest
    from edge_assets.store.polls.dimensions import IdRegistry
    from ml.quotes import EventStarts, MarketConfirmations


class RequestScope:
    """Covers the requested markets, of the books that were requested or appeared in a response.

    Other known prices (after a change of the regions or markets in the settings, or a market that the feed refused)
    were not requested: they are not confirmed, and age.
    """

    def __init__(self, ids: IdRegistry, request: OddsRequest) -> None:
        self.request = request
        self._ids = ids
        self._markets = markets_returned_for(
            market for key in request.markets for market in markets_for_key(key) or {ids.market(key)}
        )
        self._regions = frozenset(request.regions)
        self._shown: set[int] = set()
        self._is_requested = cache(self._check_requested)

    def __call__(self, times: MarketConfirmations, _: EventStarts) -> Covers:
        """The coverage of a response with these markets; a request is for all events of a sport."""
        self._shown.update(np.unique(times.book).tolist())
        return self._covers

    def _covers(self, _event: int, book: int, market: int) -> bool:
        return market in self._markets and (book in self._shown or self._is_requested(book))

    def _check_requested(self, book: int) -> bool:
        key = self._ids.book_key(book)
        return key in self.request.bookmakers if self.request.bookmakers else is_listed_in(key, self._regions)
