"""Which of our markets and outcomes a feed's names stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.numbers import RefusedError
from ml.quotes import OUTCOMES_OF, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from edge_assets.feeds.odds_api.vocabulary import Vocabulary

_DRAW = "Draw"
_FIXED_NAMES: dict[str | None, int] = {
    _DRAW: int(Outcome.DRAW),
    "Over": int(Outcome.OVER),
    "Under": int(Outcome.UNDER),
    "Yes": int(Outcome.YES),
    "No": int(Outcome.NO),
}
_MARKETS: dict[str, int] = {
    "h2h": int(Market.H2H),
    "h2h_lay": int(Market.H2H_LAY),
    "spreads": int(Market.SPREADS),
    "totals": int(Market.TOTALS),
    "outrights": int(Market.OUTRIGHTS),
    "outrights_lay": int(Market.OUTRIGHTS_LAY),
}
_WITH_DRAW = {"h2h": int(Market.H2H_3_WAY), "h2h_lay": int(Market.H2H_3_WAY_LAY)}
_WINNERS = frozenset(map(int, OUTCOMES_OF[Market.H2H_3_WAY]))
_CLOSED = {
    "h2h": _WINNERS,
    "h2h_lay": _WINNERS,
    "spreads": frozenset(map(int, OUTCOMES_OF[Market.SPREADS])),
    "totals": frozenset(map(int, OUTCOMES_OF[Market.TOTALS])),
}
"""Markets that can have no other outcomes than these; plain ints: an enum's hash is a Python call."""


def market_of(key: str, names: AbstractSet[str]) -> int | None:
    """Our market for a feed's key and the names of its outcomes; None where the vocabulary has to give an id.

    A match with a draw is another market than one without, whatever the feed calls it.
    """
    return _WITH_DRAW[key] if _DRAW in names and key in _WITH_DRAW else _MARKETS.get(key)


def markets_named(key: str) -> frozenset[int]:
    """Our markets that a feed's key may stand for; none where the vocabulary has to give an id."""
    return frozenset(names[key] for names in (_MARKETS, _WITH_DRAW) if key in names)


class EventNames:
    """The outcomes of one event by name; their order in a payload means nothing."""

    def __init__(self, vocabulary: Vocabulary, home: str | None, away: str | None) -> None:
        self._vocabulary = vocabulary
        self._outcomes = {**_FIXED_NAMES, home: int(Outcome.HOME), away: int(Outcome.AWAY)}

    def outcome(self, market: str, name: str, description: str | None) -> int:
        """The id of an outcome.

        Raises:
            RefusedError: the market cannot have such an outcome.
        """
        outcome = self._outcomes.get(name)
        if market in _CLOSED and outcome not in _CLOSED[market]:
            raise RefusedError("unknown_outcome")
        if outcome is None or (description is not None and market not in _CLOSED):
            return self._vocabulary.outcome(name, description)
        return outcome
