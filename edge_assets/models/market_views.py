"""The markets of a sport group as the views that features are made of, and as the history of its teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edge_assets.models.quoted_market import first_known, translate
from edge_assets.reference.sports import find_family
from ml.features.market_view import MarketView, fair_where_sound
from ml.features.performance import PlayedGames, result_log_odds
from ml.features.teams import TeamHistory
from ml.points import point_models_for
from ml.quotes import MICROS_PER_SECOND, Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_assets.models.quoted_market import QuotedMarket
    from edge_assets.models.statistics import GameStatistics
    from ml.training.games import Games

    Array = NDArray[np.float64]


class GroupMarkets(NamedTuple):
    """The markets of a sport group with what they say together; `reference` is the sharp book's key."""

    games: Games
    markets: Mapping[Market, QuotedMarket]
    reference: str
    group: str

    def view(self, market: Market) -> MarketView:
        """The view of one market when decisions were made; where none could be, as at the start without prices."""
        quoted = self.markets[market]
        at = np.where(quoted.quotes.decided_at < 0, self.games.start, quoted.quotes.decided_at)
        named = quoted.quotes.books > 0
        return MarketView(
            market,
            self.games.start,
            at,
            self.games.home,
            self.games.away,
            quoted.books,
            quoted.price,
            (at / MICROS_PER_SECOND)[:, None] - quoted.quotes.seen[:, named],
            quoted.average,
            quoted.best,
            quoted.point,
            self._log_odds_when_decided(result_market(self.group)),
            self._log_odds_when_decided(Market.TOTALS),
            self.reference,
        )

    def history(self, statistics: GameStatistics) -> TeamHistory:
        """What was known of the teams, and when."""
        result, total = result_market(self.group), Market.TOTALS
        games = self.games
        return TeamHistory.of(
            PlayedGames(
                games.home,
                games.away,
                games.start,
                statistics.known_at,
                self._last_fair(result),
                self._move(result),
                self._last_fair(total),
                self._move(total),
                games.score,
                statistics.counts,
            )
        )

    def _log_odds_when_decided(self, market: Market) -> Array:
        return result_log_odds(first_known(self._fair_when_decided(market)))

    def _fair_when_decided(self, market: Market) -> list[Array]:
        """The fair probabilities (N, n) of the reference and of the average; totals at the group's usual total."""
        outcomes = 3 if market is Market.H2H_3_WAY else 2
        if market not in self.markets:
            return [np.full((len(self.games.event), outcomes), np.nan)]
        quoted = self.markets[market]
        fair = [fair_where_sound(quoted.average)]
        if self.reference in quoted.books:
            fair.insert(0, fair_where_sound(quoted.price[:, quoted.books.index(self.reference)]))
        return [self._at_usual_point(quoted, estimate) for estimate in fair]

    def _at_usual_point(self, quoted: QuotedMarket, fair: Array) -> Array:
        model = point_models_for(self.group).get(quoted.market)
        if quoted.market is not Market.TOTALS or model is None:
            return fair
        usual = np.full(len(fair), np.floor(model.typical_parameters[0]) + 0.5)
        return translate(model, quoted.market, quoted.point, fair, usual)

    def _last_fair(self, market: Market) -> Array:
        """The last known fair probabilities: closing ones, else those when decided; the reference's first."""
        if market not in self.markets:
            return self._fair_when_decided(market)[0]
        quoted = self.markets[market]
        closes = [self._at_usual_point(quoted, close) for close in (quoted.reference_close, quoted.average_close)]
        return first_known([*closes, *self._fair_when_decided(market)])

    def _move(self, market: Market) -> Array:
        """How far the line moved to the close (N,), in log-odds of home against away, or of over; of one book."""
        if market not in self.markets:
            return np.full(len(self.games.event), np.nan)
        quoted = self.markets[market]
        opened = [fair_where_sound(quoted.average)]
        closed = [quoted.average_close]
        if self.reference in quoted.books:
            opened.insert(0, fair_where_sound(quoted.price[:, quoted.books.index(self.reference)]))
            closed.insert(0, quoted.reference_close)
        pairs = zip(opened, closed, strict=True)
        return first_known([result_log_odds(close) - result_log_odds(opening) for opening, close in pairs])


def result_market(group: str) -> Market:
    """The market of the match result: three-way where every match of the group can end in a draw."""
    return Market.H2H_3_WAY if find_family(group).can_draw else Market.H2H
