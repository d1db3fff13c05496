"""What betting everything, without a look at anything, has won: it must not win."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.suspicions import Z_THRESHOLD, CheckFailure, PriceGroup
from edge_assets.warehouse.bet_settlement import settle_columns
from ml.quotes import Market, Outcome
from ml.settlement import BetStatus, StakeShares

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.market_matrix import Array

MIN_BETS = 50
"""Fewer tell nothing."""


class BlindBets:
    """Betting everything at any single price, the first or the last before the start, must not win."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int, int, int, int], Array] = defaultdict(lambda: np.zeros(3))

    def add(
        self,
        bets: Mapping[str, NDArray[Any]],
        scores: Mapping[str, NDArray[Any]],
        sports: Mapping[int, str],
        books: Mapping[int, str],
    ) -> None:
        """Settle bets (`edge_assets.store.analytics.check_inputs.CHECK_PRICE_TYPES`) on the events of the scores, by
        their books' rules.

        What those rules and scores do not settle is no bet: a contradicted result above all.
        """
        game = np.searchsorted(scores["event"], bets["event"])
        settlement = settle_columns({**bets, "game": game}, scores, sports, books)
        settled = settlement.status == BetStatus.SETTLED
        bets = {name: column[settled] for name, column in bets.items()}
        shares = StakeShares(*(share[settled] for share in settlement.shares))
        kinds = np.stack([bets[name].astype(np.int64) for name in ("book", "market", "outcome", "import_id")])
        keys, group = np.unique(kinds, axis=1, return_inverse=True)
        for moment in ("opening", "closing"):
            profit = shares.profit(bets[moment])
            sums = [np.bincount(group.ravel(), w) for w in (np.ones(len(profit)), profit, bets[moment] - 1)]
            for key, *row in zip(keys.T.tolist(), *sums, strict=True):
                self._sums[(moment, *key)] += row

    def merge_imports(self, import_id: int = 0) -> BlindBets:
        """The same, whichever import the prices came from; they are said to be of `import_id`."""
        merged = BlindBets()
        for (moment, book, market, outcome, _), sums in self._sums.items():
            merged._sums[moment, book, market, outcome, import_id] += sums
        return merged

    def merge(self, other: BlindBets) -> None:
        """Count the bets of `other`, too."""
        for key, sums in other._sums.items():
            self._sums[key] += sums

    def find_failures(self) -> Iterator[CheckFailure]:
        """The groups at whose prices betting everything has won by more than chance.

        A fair bet at decimal odds o has a variance of o - 1, which no lucky season makes smaller.
        """
        for (moment, book, market, outcome, import_id), (n, total, variance) in self._sums.items():
            if n >= MIN_BETS and total > Z_THRESHOLD * np.sqrt(variance):
                example = {"moment": moment, "outcome": Outcome(outcome).key, "bets": int(n), "profit": total / n}
                group = PriceGroup(book, Market(market), import_id)
                yield CheckFailure("blind_betting", group, int(n), float(total / n), [example])
