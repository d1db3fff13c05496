"""Map the feed's market keys and outcome names to ours."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from edge_assets.core.texts import UnusableTextError, clean_text, fold_text
from edge_assets.feeds.odds_api.conversions import RejectedValueError
from edge_assets.reference.sports import find_family
from ml.quotes import MARKET_OUTCOMES, Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_assets.feeds.odds_api.ids import IdResolver

_DRAW = "Draw"
_OUTCOMES_BY_NAME: dict[str | None, int] = {
    _DRAW: int(Outcome.DRAW),
    "Over": int(Outcome.OVER),
    "Under": int(Outcome.UNDER),
    "Yes": int(Outcome.YES),
    "No": int(Outcome.NO),
}
_MARKETS_BY_KEY: dict[str, int] = {
    "h2h": int(Market.H2H),
    "h2h_lay": int(Market.H2H_LAY),
    "spreads": int(Market.SPREADS),
    "totals": int(Market.TOTALS),
    "outrights": int(Market.OUTRIGHTS),
    "outrights_lay": int(Market.OUTRIGHTS_LAY),
}
_THREE_WAY_MARKETS_BY_KEY = {"h2h": int(Market.H2H_3_WAY), "h2h_lay": int(Market.H2H_3_WAY_LAY)}
_THREE_WAY_OUTCOMES = frozenset(map(int, MARKET_OUTCOMES[Market.H2H_3_WAY]))
_ALLOWED_OUTCOMES = {
    "h2h": _THREE_WAY_OUTCOMES,
    "h2h_lay": _THREE_WAY_OUTCOMES,
    "spreads": frozenset(map(int, MARKET_OUTCOMES[Market.SPREADS])),
    "totals": frozenset(map(int, MARKET_OUTCOMES[Market.TOTALS])),
}
"""Markets limited to these outcomes; plain ints, because hashing an enum member is a Python call."""
MARKETS_WITH_POINT = frozenset({"spreads", "totals"})
"""Markets in which a price needs a point."""

clean_name = lru_cache(maxsize=65_536)(clean_text)
_SPORT_KEY = re.compile("[a-z0-9_]{1,100}")


@lru_cache(maxsize=1_024)
def clean_sport_key(sent: str) -> str:
    """Normalize a sport's key: stripped and in lower case; empty if invalid.

    The differ, the capture reader and the replay server compare the results.
    """
    try:
        key = clean_text(sent).lower()
    except UnusableTextError:
        return ""
    return key if _SPORT_KEY.fullmatch(key) else ""


def markets_for_key(key: str) -> frozenset[int]:
    """The fixed markets that a feed's key may mean; empty if the market's id comes from the `IdResolver`."""
    return frozenset(names[key] for names in (_MARKETS_BY_KEY, _THREE_WAY_MARKETS_BY_KEY) if key in names)


_RETURNED_TOGETHER = (
    frozenset(map(int, (Market.H2H, Market.H2H_3_WAY, Market.H2H_LAY, Market.H2H_3_WAY_LAY))),
    frozenset(map(int, (Market.OUTRIGHTS, Market.OUTRIGHTS_LAY))),
)
"""A request for one may return the others: a draw makes it a three-way market, and exchanges add lay prices."""


def markets_returned_for(markets: Iterable[int]) -> frozenset[int]:
    """Our markets that a request for these may return."""
    found = frozenset(markets)
    return found.union(*(together for together in _RETURNED_TOGETHER if not together.isdisjoint(found)))


class OutcomeResolver:
    """Resolves the outcomes of one event by name; their order in a payload is irrelevant."""

    def __init__(self, ids: IdResolver, sport: str, home: str | None, away: str | None) -> None:
        self._ids = ids
        self._can_draw = find_family(sport).can_draw
        self._outcomes = {**_OUTCOMES_BY_NAME, home: int(Outcome.HOME), away: int(Outcome.AWAY)}

    def resolve_market(self, key: str, names: Iterable[str]) -> int | None:
        """Our market for a feed's key and the names of its outcomes; None if its id comes from the `IdResolver`.

        A market with a draw differs from one without, though the feed uses one key: also while the draw is listed
        without a price, and in sports that always have one.
        """
        with_draw = _THREE_WAY_MARKETS_BY_KEY.get(key)
        if with_draw is not None and (self._can_draw or any(self._find_outcome(n) == Outcome.DRAW for n in names)):
            return with_draw
        return _MARKETS_BY_KEY.get(key)

    def resolve_outcome(self, market: str, name: str, description: str | None) -> int:
        """The id of an outcome.

        Raises:
            RejectedValueError: the market cannot have such an outcome.
            UnusableTextError: the name is empty or too long.
        """
        outcome = self._find_outcome(name)
        if market in _ALLOWED_OUTCOMES and outcome not in _ALLOWED_OUTCOMES[market]:
            raise RejectedValueError("unknown_outcome")
        if outcome is None or (description is not None and market not in _ALLOWED_OUTCOMES):
            return self._ids.outcome(clean_name(name), description and clean_name(description))
        return outcome

    def _find_outcome(self, name: str) -> int | None:
        found = self._outcomes.get(name)
        return self._outcomes_by_folded_name.get(_fold(name)) if found is None else found

    @cached_property
    def _outcomes_by_folded_name(self) -> dict[str, int]:
        """The same outcomes by name, ignoring spaces, case and Unicode form."""
        return {_fold(name): outcome for name, outcome in self._outcomes.items() if name is not None}


@lru_cache(maxsize=65_536)
def _fold(name: str) -> str:
    """A key that ignores spaces, case and Unicode form; an unusable name is returned unchanged."""
    try:
        return fold_text(clean_text(name))
    except UnusableTextError:
        return name
