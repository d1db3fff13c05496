"""Which of our markets and outcomes a feed's names stand for."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from edge_assets.feeds.odds_api.numbers import RefusedError
from edge_assets.texts import UnusableTextError, clean_text, folded
from ml.quotes import OUTCOMES_OF, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

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
WITH_LINES = frozenset({"spreads", "totals"})
"""Markets of which a price without a point says nothing."""
_DRAWN_SPORTS = "soccer_"
"""Sports of which every match can end in a draw: their `h2h` is a three-way market, whatever is on offer in it."""

cleaned = lru_cache(maxsize=65_536)(clean_text)
_SPORT_KEY = re.compile("[a-z0-9_]{1,100}")


@lru_cache(maxsize=1_024)
def sport_key_of(sent: str) -> str:
    """A sport's key without what was added around it, in lower case; empty if it can be none.

    The one place where keys are cleaned: the differ, the reader of captures and the replay compare them.
    """
    try:
        key = clean_text(sent).lower()
    except UnusableTextError:
        return ""
    return key if _SPORT_KEY.fullmatch(key) else ""


def markets_named(key: str) -> frozenset[int]:
    """Our markets that a feed's key may stand for; none where the vocabulary has to give an id."""
    return frozenset(names[key] for names in (_MARKETS, _WITH_DRAW) if key in names)


_ASKED_TOGETHER = (
    frozenset(map(int, (Market.H2H, Market.H2H_3_WAY, Market.H2H_LAY, Market.H2H_3_WAY_LAY))),
    frozenset(map(int, (Market.OUTRIGHTS, Market.OUTRIGHTS_LAY))),
)
"""A draw makes another market of the same request, and exchanges add their lay prices by themselves."""


def asked_with(markets: Iterable[int]) -> frozenset[int]:
    """Our markets that an answer can show which was asked for any of these."""
    found = frozenset(markets)
    return found.union(*(together for together in _ASKED_TOGETHER if not together.isdisjoint(found)))


class EventNames:
    """The outcomes of one event by name; their order in a payload means nothing."""

    def __init__(self, vocabulary: Vocabulary, sport: str, home: str | None, away: str | None) -> None:
        self._vocabulary = vocabulary
        self._is_drawn = sport.startswith(_DRAWN_SPORTS)
        self._outcomes = {**_FIXED_NAMES, home: int(Outcome.HOME), away: int(Outcome.AWAY)}

    def market(self, key: str, names: Iterable[str]) -> int | None:
        """Our market for a feed's key and the names of its outcomes; None where the vocabulary has to give an id.

        A match with a draw is another market than one without, whatever the feed calls it: also while the draw is
        listed without a price, and in a sport that always has one.
        """
        with_draw = _WITH_DRAW.get(key)
        if with_draw is not None and (self._is_drawn or any(self._meant(n) == Outcome.DRAW for n in names)):
            return with_draw
        return _MARKETS.get(key)

    def outcome(self, market: str, name: str, description: str | None) -> int:
        """The id of an outcome.

        Raises:
            RefusedError: the market cannot have such an outcome.
            UnusableTextError: the name is none.
        """
        outcome = self._meant(name)
        if market in _CLOSED and outcome not in _CLOSED[market]:
            raise RefusedError("unknown_outcome")
        if outcome is None or (description is not None and market not in _CLOSED):
            return self._vocabulary.outcome(cleaned(name), description and cleaned(description))
        return outcome

    def _meant(self, name: str) -> int | None:
        found = self._outcomes.get(name)
        return self._respelt.get(_folded(name)) if found is None else found

    @cached_property
    def _respelt(self) -> dict[str, int]:
        """The same outcomes, whatever the spaces, the case and the Unicode form of their names."""
        return {_folded(name): outcome for name, outcome in self._outcomes.items() if name is not None}


@lru_cache(maxsize=65_536)
def _folded(name: str) -> str:
    """What is the same in all spellings of a name; the name itself where it is none."""
    try:
        return folded(clean_text(name))
    except UnusableTextError:
        return name
