"""The profit of betting blindly on every selection: it must not be positive."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.quality.check_failures import Z_THRESHOLD, CheckFailure, PriceGroup
from edge_assets.warehouse.bet_settlement import settle_columns
from ml.quotes import Market, Outcome
from ml.settlement import BetStatus, StakeShares

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.market_matrix import Array

MIN_BETS = 50
"""Fewer bets show nothing."""


class BlindBets:
    """Blind betting at every opening and every closing price must not make a profit."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int, int, int, int], Array] = defaultdict(lambda: np.zeros(3))

    def add(
        self,
        bets: Mapping[str, NDArray[Any]],
        scores: Mapping[str, NDArray[Any]],
        sports: Mapping[int, str],
        books: Mapping[int, str],
    ) -> None:
        """Settle bets (`edge_assets.store.analytics.check_inputs.CHECK_PRICE_TYPES`) on the events with scores, by
        their books' rules.

        Bets that those rules and scores leave unsettled do not count, contradicted results above all.
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
        """The bets of all imports together, counted as those of `import_id`."""
        merged = BlindBets()
        for (moment, book, market, outcome, _), sums in self._sums.items():
            merged._sums[moment, book, market, outcome, import_id] += sums
        return merged

    def merge(self, other: BlindBets) -> None:
        """Add the bets of `other`."""
        for key, sums in other._sums.items():
            self._sums[key] += sums

    def find_failures(self) -> Iterator[CheckFailure]:
        """The groups at whose prices blind betting made a profit beyond chance.

        A fair bet at decimal odds o has a variance of o - 1, regardless of how the season went.
        """
        for (moment, book, market, outcome, import_id), (n, total, variance) in self._sums.items():
            if n >= MIN_BETS and total > Z_THRESHOLD * np.sqrt(variance):
                example = {"moment": moment, "outcome": Outcome(outcome).key, "bets": int(n), "profit": total / n}
                group = PriceGroup(book, Market(market), import_id)
                yield CheckFailure("blind_betting", group, int(n), float(total / n), [example])
