"""What cannot be true of many prices together: it tells of shifted columns, exchanged teams or a wrong file.

A single wrong price fails none of these checks: that is what quarantine is for. Prices are counted by the group that
they came in, so that what fails can be held out as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import bdtrc

from edge_assets.quality.judgement import below_a_book, out_of_band
from edge_assets.settling import settle
from edge_assets.store.quarantine import BEST
from ml.medians import medians_of_others
from ml.quotes import Market, Outcome
from ml.settlement import Shares, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.boards import Array, Board, Columns, Flags
    from edge_assets.store.quarantine import Verdict as PriceVerdict

ENOUGH = 20
"""Fewer cases tell nothing of a book."""
MOST_WRONG = {"absurd_prices": 0.01, "overround": 0.05, "orientation": 0.05, "best_price": 0.25}
"""Shares of a group's cases. Best prices of one real file are below a book's in 20% (SC3 2021/22), of all in 1%."""
CHANCE = 0.001
"""Between two builds a book may have changed some dozens of prices, of which a single wrong one is more than its share:
so many have to be wrong that a book with the share would hardly ever have them."""
CLEAR = 0.5
"""Log of the prices' ratio from which on it is clear who is the favourite."""
SURE = 4.5
"""Standard errors above zero."""
BETS = 50
SHIFTED = ("row_width", "result_contradicts_score")
MOST_SHIFTED = 0.02
MOST_CONTRADICTED = 0.02
CHECKS = {
    "absurd_prices": "No book is palpably wrong again and again.",
    "overround": "A book's prices on all outcomes imply what a book's do.",
    "orientation": "Books agree on which team is the favourite.",
    "best_price": "The recorded best price is no book's to beat.",
    "blind_betting": "Betting everything at any single price does not win.",
    "row_width": "Rows are as wide as their header, and scores say who won.",
    "results": "Sources agree on the results.",
}
OF_VERDICTS = {"palpable_price": "absurd_prices", "overround": "overround", "best_price": "best_price"}
"""Which check counts what a single price is quarantined for."""
EXAMPLES = 5


class Group(NamedTuple):
    """Prices that came together: of a book (`BEST`, or `BEST - 1` for the average) in a market, from one import.

    `import_id` is 0 where they were polled.
    """

    book: int
    market: Market
    import_id: int


class Suspicion(NamedTuple):
    """A group that fails a check: how many cases were looked at, and which share of them is wrong.

    Of bets `wrong` is the profit for each unit staked.
    """

    check: str
    group: Group
    cases: int
    wrong: float
    examples: list[dict[str, Any]]


class Survey:
    """Counts what is wrong of each group, board by board."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, Group], NDArray[np.int64]] = defaultdict(lambda: np.zeros(2, np.int64))
        self._examples: dict[tuple[str, Group], list[dict[str, Any]]] = defaultdict(list)

    def add(self, board: Board, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        """Look at a board as it came, and at what was found of its single prices; its ticks index `ticks`."""
        origin = np.where(board.tick >= 0, ticks["import_id"][board.tick], -1)
        due = np.any(board.due, axis=2)
        found = {check: [i for i, v in verdicts.items() if v.check == check] for check in OF_VERDICTS}
        self._count("absurd_prices", board, origin, board.due, np.isin(board.tick, found["palpable_price"]))
        self._count("overround", board, origin.max(axis=2), board.whole & due, out_of_band(board))
        if board.market in (Market.H2H, Market.H2H_3_WAY):
            looked_at, opposed = _opposed(board, due)
            self._count("orientation", board, origin.max(axis=2), looked_at, opposed)
        if board.best is not None:
            best = (board.books == BEST)[:, None]
            wrong = below_a_book(board)[0][:, None] | np.isin(board.tick, found["best_price"])
            self._count("best_price", board, origin, board.due & best, wrong)
        self._show(board.market, ticks, verdicts)

    def suspicions(self) -> list[Suspicion]:
        """The groups that fail a check."""
        return [
            Suspicion(check, group, int(n), int(wrong) / int(n), self._examples[check, group])
            for (check, group), (n, wrong) in sorted(self._counts.items())
            if is_clearly_above(MOST_WRONG[check], int(n), int(wrong))
        ]

    def books(self, import_id: int) -> set[int]:
        """The books that an import (0: the feed) has told enough of to be judged."""
        return {
            group.book
            for (_, group), (n, _) in self._counts.items()
            if group.import_id == import_id and group.book >= 0 and n >= ENOUGH
        }

    def _count(self, check: str, board: Board, origin: NDArray[Any], looked_at: Flags, wrong: Flags) -> None:
        over = (0, 2)[: looked_at.ndim - 1]
        for import_id in np.unique(origin[looked_at]).tolist():
            cases = looked_at & (origin == import_id)
            totals = zip(board.books.tolist(), cases.sum(axis=over), (cases & wrong).sum(axis=over), strict=True)
            for book, n, bad in totals:
                if n:
                    self._counts[check, Group(book, board.market, import_id)] += (n, bad)

    def _show(self, market: Market, ticks: Columns, verdicts: Mapping[int, PriceVerdict]) -> None:
        for tick, (check, reason) in verdicts.items():
            group = Group(int(ticks["book_id"][tick]), market, int(ticks["import_id"][tick]))
            shown = self._examples[OF_VERDICTS[check], group]
            if len(shown) < EXAMPLES:
                event, price = int(ticks["event_id"][tick]), float(ticks["price"][tick])
                shown.append({"event_id": event, "price": price, "reason": reason})


def _opposed(board: Board, due: Flags) -> tuple[Flags, Flags]:
    """Books (M, B) where the others have a clear favourite, and those that have the other team."""
    lead = np.where(board.whole, np.log(board.price[..., 1]) - np.log(board.price[..., 0]), np.nan)
    told = ~np.isnan(lead)
    enough = told.sum(axis=1)[:, None] - told >= 2  # noqa: PLR2004 - one alone may be the wrong one
    usual = medians_of_others(lead)
    return due & board.whole & enough & (np.abs(usual) > CLEAR), lead * usual < 0


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
        """Settle bets (`edge_assets.store.canaries.BET_TYPES`) on the events of the scores, by their books' rules.

        What those rules and scores do not settle is no bet: a contradicted result above all.
        """
        game = np.searchsorted(scores["event"], bets["event"])
        found = settle({**bets, "game": game}, scores, sports, books)
        settled = found.verdict == Verdict.SETTLED
        bets = {name: column[settled] for name, column in bets.items()}
        shares = Shares(*(share[settled] for share in found.shares))
        kinds = np.stack([bets[name].astype(np.int64) for name in ("book", "market", "outcome", "import_id")])
        keys, group = np.unique(kinds, axis=1, return_inverse=True)
        for moment in ("opening", "closing"):
            profit = shares.profit(bets[moment])
            sums = [np.bincount(group.ravel(), w) for w in (np.ones(len(profit)), profit, bets[moment] - 1)]
            for key, *row in zip(keys.T.tolist(), *sums, strict=True):
                self._sums[(moment, *key)] += row

    def together(self) -> BlindBets:
        """The same, whichever import the prices came from."""
        whole = BlindBets()
        for (moment, book, market, outcome, _), sums in self._sums.items():
            whole._sums[moment, book, market, outcome, 0] += sums
        return whole

    def merge(self, other: BlindBets) -> None:
        """Count the bets of `other`, too."""
        for key, sums in other._sums.items():
            self._sums[key] += sums

    def suspicions(self) -> Iterator[Suspicion]:
        """The groups at whose prices betting everything has won by more than chance.

        A fair bet at decimal odds o has a variance of o - 1, which no lucky season makes smaller.
        """
        for (moment, book, market, outcome, import_id), (n, total, variance) in self._sums.items():
            if n >= BETS and total > SURE * np.sqrt(variance):
                example = {"moment": moment, "outcome": Outcome(outcome).key, "bets": int(n), "profit": total / n}
                group = Group(book, Market(market), import_id)
                yield Suspicion("blind_betting", group, int(n), float(total / n), [example])


def is_clearly_above(share: float, cases: int, wrong: int) -> bool:
    """Whether more than `share` of the cases are wrong, by the binomial test, one-sided."""
    return cases >= ENOUGH and bool(bdtrc(wrong - 1, cases, share) < CHANCE)
