"""Bets settled on the results that the store holds, by what is known of their books' rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.reports import ENDINGS
from ml.quotes import Market
from ml.settlement import STATUSES, Bets, Games, GameStatus, known_rules, settle_bets
from ml.settlement.table import ANY_BOOK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.settlement import Rules, Settlement

    Columns = Mapping[str, NDArray[Any]]

_STATUS = np.array([0, *(STATUSES.index(GameStatus(word)) for word in ENDINGS)], np.int8)


def settle(bets: Columns, reports: Columns, sports: Mapping[int, str], books: Mapping[int, str]) -> Settlement:
    """Settle bets on the games of `reports` (`edge_assets.store.reports`).

    `bets` are columns `game` (rows of `reports`), `book`, `market`, `outcome` and `point`, NaN where there is none;
    `delay`, in hours, is 0 where it is absent: the game began when it was to begin. `sports` and `books` are keys by
    id; of a book without a key (a price that is no single book's) only the rules that all books have in common hold.
    """
    rules, number = _rules(bets, reports, sports, books)
    point = bets["point"].astype(np.float64)
    delay = bets.get("delay", np.zeros(len(point)))
    wanted = Bets(bets["game"], number, bets["market"], bets["outcome"], point, delay)
    return settle_bets(wanted, _games(reports), rules)


def _games(reports: Columns) -> Games:
    regulation, full = (
        np.stack([reports[f"{period}_home"], reports[f"{period}_away"]], axis=1) for period in ("regulation", "full")
    )
    contradicted = np.stack([reports["regulation_contradicted"], reports["full_contradicted"]], axis=1)
    return Games(_STATUS[reports["ending"]], full, regulation, contradicted)


def _rules(
    bets: Columns, reports: Columns, sports: Mapping[int, str], books: Mapping[int, str]
) -> tuple[list[Rules], NDArray[np.intp]]:
    """The rules that occur, and the number of each bet's."""
    kinds = np.stack([reports["sport"][bets["game"]].astype(np.int64), bets["market"], bets["book"]])
    found, number = np.unique(kinds, axis=1, return_inverse=True)
    markets = set(map(int, Market))
    rules = [
        known_rules(sports[sport], Market(market), books.get(book, ANY_BOOK)) if market in markets else None
        for sport, market, book in found.T.tolist()
    ]
    return rules, number.ravel()
