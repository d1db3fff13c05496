"""Canaries: what cannot be true of many prices together. One that dies tells of shifted columns or exchanged teams.

A single wrong price kills none of them: that is what quarantine is for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
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
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.boards import Array, Board

ENOUGH = 20
"""Fewer cases tell nothing of a book."""
MOST_WRONG = {"absurd_prices": 0.01, "overround": 0.05, "orientation": 0.05, "best_price": 0.25}
"""Shares of a book's cases. Best prices of one real file are below a book's in 20% (SC3 2021/22), of all in 1%."""
CHANCE = 0.001
"""Between two builds a book may have changed some dozens of prices, of which a single wrong one is more than its share:
so many have to be wrong that a book with the share would hardly ever have them."""
CLEAR = 0.5
"""Log of the prices' ratio from which on it is clear who is the favourite."""
SURE = 4.5
"""Standard errors above zero. With 600 kinds of bets, one that is fair gets there in one of 500 runs."""
BETS = 50
SHIFTED = ("row_width", "result_contradicts_score")
MOST_SHIFTED = 0.02
MOST_CONTRADICTED = 0.02
CANARIES = {
    "absurd_prices": "No book is palpably wrong again and again.",
    "overround": "A book's prices on all outcomes imply what a book's do.",
    "orientation": "Books agree on which team is the favourite.",
    "best_price": "The recorded best price is no book's to beat.",
    "blind_betting": "Betting everything at any single price does not win.",
    "row_width": "Rows are as wide as their header, and scores say who won.",
    "results": "Sources agree on the results.",
}


class Case(NamedTuple):
    """What a canary has looked at, and how often it was wrong."""

    what: str
    cases: int
    wrong: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A canary. It is dead if one of what it `died_of` is there; `cases` is all that it looked at."""

    name: str
    cases: int
    died_of: list[Case] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether the data may go on."""
        return not self.died_of


class Survey:
    """Counts what is wrong of each book in each market, board by board."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int, Market], NDArray[np.int64]] = defaultdict(lambda: np.zeros(2, np.int64))

    def add(self, board: Board, verdicts: Mapping[int, Any]) -> None:
        """Look at a board as it came, and at what was found of its single prices."""
        palpable = [tick for tick, verdict in verdicts.items() if verdict.check == "palpable_price"]
        self._count("absurd_prices", board, board.due, np.isin(board.tick, palpable))
        due = np.any(board.due, axis=2)
        self._count("overround", board, board.whole & due, out_of_band(board))
        if board.market in (Market.H2H, Market.H2H_3_WAY):
            self._count("orientation", board, *_opposed(board, due))
        if board.best is not None:
            best = board.books == BEST
            self._count("best_price", board, board.due & best[:, None], below_a_book(board)[0][:, None])

    def findings(self, names: Mapping[int, str]) -> Iterator[Finding]:
        """The canaries of the boards; `names` are the books' keys."""
        for canary, most in MOST_WRONG.items():
            cases = [
                Case(f"{names.get(book, 'max')} {market.key}", int(n), int(wrong) / max(int(n), 1))
                for (name, book, market), (n, wrong) in sorted(self._counts.items())
                if name == canary
            ]
            died_of = [case for case in cases if _is_clearly_above(most, case)]
            yield Finding(canary, sum(case.cases for case in cases), died_of)

    def _count(self, name: str, board: Board, looked_at: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> None:
        over = (0, 2)[: looked_at.ndim - 1]
        for book, n, bad in zip(
            board.books.tolist(), looked_at.sum(axis=over), (looked_at & wrong).sum(axis=over), strict=True
        ):
            self._counts[name, book, board.market] += (n, bad)


def _opposed(board: Board, due: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Books (M, B) where the others have a clear favourite, and those that have the other team."""
    lead = np.where(board.whole, np.log(board.price[..., 1]) - np.log(board.price[..., 0]), np.nan)
    told = ~np.isnan(lead)
    enough = told.sum(axis=1)[:, None] - told >= 2  # noqa: PLR2004 - one alone may be the wrong one
    usual = medians_of_others(lead)
    return due & board.whole & enough & (np.abs(usual) > CLEAR), lead * usual < 0


class BlindBets:
    """Betting everything at any single price, the first or the last before the start, must not win."""

    def __init__(self, scores: Mapping[str, NDArray[Any]], sports: Mapping[int, str], books: Mapping[int, str]) -> None:
        self._scores, self._sports, self._books = scores, sports, books
        self._sums: dict[tuple[str, int, int, int], Array] = defaultdict(lambda: np.zeros(3))

    def add(self, bets: Mapping[str, NDArray[Any]]) -> None:
        """Settle bets (`edge_assets.store.canaries.BET_TYPES`) on the events of the scores, by their books' rules.

        What those rules and scores do not settle is no bet: a contradicted result above all.
        """
        game = np.searchsorted(self._scores["event"], bets["event"])
        found = settle({**bets, "game": game}, self._scores, self._sports, self._books)
        settled = found.verdict == Verdict.SETTLED
        bets = {name: column[settled] for name, column in bets.items()}
        shares = Shares(*(share[settled] for share in found.shares))
        kinds = np.stack([bets[name].astype(np.int64) for name in ("book", "market", "outcome")])
        keys, group = np.unique(kinds, axis=1, return_inverse=True)
        for moment in ("opening", "closing"):
            profit = shares.profit(bets[moment])
            sums = [np.bincount(group.ravel(), weights) for weights in (np.ones(len(profit)), profit, profit**2)]
            for key, *row in zip(keys.T.tolist(), *sums, strict=True):
                self._sums[(moment, *key)] += row

    def finding(self, names: Mapping[int, str]) -> Finding:
        """The canary."""
        died_of = []
        for (moment, book, market, outcome), (n, total, squares) in self._sums.items():
            error = np.sqrt(max(squares / n - (total / n) ** 2, 0) / n)
            if n >= BETS and total / n > SURE * error:
                what = f"{moment} {names.get(book, 'max' if book == BEST else 'avg')}"
                case = Case(f"{what} {Market(market).key} {Outcome(outcome).key}", int(n), float(total / n))
                died_of.append(case)
        return Finding("blind_betting", int(sum(n for n, *_ in self._sums.values())), died_of)


def row_width(files: Iterable[tuple[str, int, int]]) -> Finding:
    """Files (name, rows taken, rows rejected as shifted): where many rows are, the others are not to be trusted."""
    cases = [Case(name, rows + shifted, shifted / (rows + shifted)) for name, rows, shifted in files]
    return Finding("row_width", sum(case.cases for case in cases), [c for c in cases if c.wrong > MOST_SHIFTED])


def results(events: int, contradicted: int) -> Finding:
    """Events with a result, and those of them whose sources contradict each other."""
    case = Case("contradicted", events, contradicted / max(events, 1))
    return Finding("results", events, [case] if _is_clearly_above(MOST_CONTRADICTED, case) else [])


def _is_clearly_above(share: float, case: Case) -> bool:
    """By the binomial test, one-sided."""
    wrong = round(case.wrong * case.cases)
    return case.cases >= ENOUGH and bool(bdtrc(wrong - 1, case.cases, share) < CHANCE)
