"""Canaries: what cannot be true of many prices together. One that dies tells of shifted columns or exchanged teams.

A single wrong price kills none of them: that is what quarantine is for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from edge_assets.quality.judgement import below_a_book, out_of_band
from edge_assets.store.quarantine import BEST
from ml.quotes import Market, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from edge_assets.quality.boards import Array, Board

ENOUGH = 20
"""Fewer cases tell nothing of a book."""
MOST_WRONG = {"absurd_prices": 0.01, "overround": 0.05, "orientation": 0.05, "best_price": 0.25}
"""Shares of a book's cases. Best prices of one real file are below a book's in 20% (SC3 2021/22), of all in 1%."""
CLEAR = 0.5
"""Log of the prices' ratio from which on it is clear who is the favourite."""
SURE = 4.5
"""Standard errors above zero. With 600 kinds of bets, one that is fair gets there in one of 500 runs."""
BETS = 50
SHIFTED = ("row_width", "result_contradicts_score")
MOST_SHIFTED = 0.02
MOST_CONTRADICTED = 0.02
NAMES = {"absurd_prices", "overround", "orientation", "best_price", "blind_betting", "row_width", "results"}


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
            died_of = [case for case in cases if case.cases >= ENOUGH and case.wrong > most]
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
    compared = due & board.whole
    opposed = np.zeros_like(compared)
    for book in range(len(board.books)):
        others = np.delete(lead, book, axis=1)
        enough = np.count_nonzero(~np.isnan(others), axis=1) >= 2  # noqa: PLR2004 - one alone may be the wrong one
        usual = np.full(len(lead), np.nan)
        usual[enough] = np.nanmedian(others[enough], axis=1)
        compared[:, book] &= np.abs(usual) > CLEAR
        opposed[:, book] = lead[:, book] * usual < 0
    return compared, opposed


class BlindBets:
    """Betting everything at any single price, the first or the last before the start, must not win."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, int, int, int], Array] = defaultdict(lambda: np.zeros(3))

    def add(self, bets: Mapping[str, NDArray[Any]]) -> None:
        """Settle bets: columns of `edge_assets.store.canaries.BET_TYPES`."""
        margin = _margin(bets)
        for moment in ("opening", "closing"):
            profit = _profit(margin, bets[moment])
            keys, group = np.unique(
                np.stack([bets[n].astype(np.int64) for n in ("book", "market", "outcome")]), axis=1, return_inverse=True
            )
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


def _margin(bets: Mapping[str, NDArray[Any]]) -> Array:
    """By how much each bet won, in goals or points."""
    home = bets["home_score"].astype(np.float64) - bets["away_score"]
    total = bets["home_score"].astype(np.float64) + bets["away_score"]
    margin: Array = np.select(
        [bets["outcome"] == outcome for outcome in (Outcome.HOME, Outcome.AWAY, Outcome.OVER, Outcome.UNDER)],
        [home + bets["point"], bets["point"] - home, total - bets["point"], bets["point"] - total],
        default=0.25 - np.abs(home),
    )
    lost_by_a_draw = (bets["market"] == Market.H2H_3_WAY) & (margin == 0)
    return np.where(lost_by_a_draw, -1.0, margin)


def _profit(margin: Array, price: Array) -> Array:
    """Per unit staked; a quarter line is two bets of a half."""
    quarter = np.where(np.abs(margin * 2 % 1 - 0.5) < 0.1, 0.25, 0.0)  # noqa: PLR2004 - floats
    halves = [np.where(m > 0, price - 1, np.where(m < 0, -1.0, 0.0)) for m in (margin - quarter, margin + quarter)]
    profit: Array = (halves[0] + halves[1]) / 2
    return profit


def row_width(files: Iterable[tuple[str, int, int]]) -> Finding:
    """Files (name, rows taken, rows rejected as shifted): where many rows are, the others are not to be trusted."""
    cases = [Case(name, rows + shifted, shifted / (rows + shifted)) for name, rows, shifted in files]
    return Finding("row_width", sum(case.cases for case in cases), [c for c in cases if c.wrong > MOST_SHIFTED])


def results(events: int, contradicted: int) -> Finding:
    """Events with a result, and those of them whose sources contradict each other."""
    case = Case("contradicted", events, contradicted / max(events, 1))
    return Finding("results", events, [case] if events >= ENOUGH and case.wrong > MOST_CONTRADICTED else [])
