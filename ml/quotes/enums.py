"""The fixed ids of markets and outcomes, shared by parser, store and scorer.

Ids below `FIRST_DYNAMIC_ID` are constants seeded by the first migration; from there on the store assigns ids to what
feeds introduce (player props, new markets).
"""

from enum import IntEnum

FIRST_DYNAMIC_ID = 100


class Market(IntEnum):
    """Markets that the scorer values, and the lay sides that it stores.

    A feed's `h2h` is split by its number of outcomes, because some books post the three-way regulation result under the
    same key as other books' two-way result.
    """

    H2H = 1
    H2H_3_WAY = 2
    SPREADS = 3
    TOTALS = 4
    H2H_LAY = 5
    H2H_3_WAY_LAY = 6
    OUTRIGHTS = 7
    OUTRIGHTS_LAY = 8

    @property
    def key(self) -> str:
        """The name used in the database, the API and the alerts."""
        return self.name.lower()


class Outcome(IntEnum):
    """Outcomes that mean the same in every event; team names are mapped to HOME and AWAY."""

    HOME = 1
    AWAY = 2
    DRAW = 3
    OVER = 4
    UNDER = 5
    YES = 6
    NO = 7

    @property
    def key(self) -> str:
        """The name used in the database, the API and the alerts."""
        return self.name.lower()


MARKET_OUTCOMES: dict[Market, tuple[Outcome, ...]] = {
    Market.H2H: (Outcome.HOME, Outcome.AWAY),
    Market.H2H_3_WAY: (Outcome.HOME, Outcome.AWAY, Outcome.DRAW),
    Market.SPREADS: (Outcome.HOME, Outcome.AWAY),
    Market.TOTALS: (Outcome.OVER, Outcome.UNDER),
}
"""The exhaustive outcomes of every market the scorer values, in matrix order."""
