"""Bets settled on stored results, by the known rules of their books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.store.events.score_reports import STATUSES_BY_PRIORITY
from ml.quotes import Market
from ml.settlement import GAME_STATUSES, Bets, GameStatus, SettledGames, find_rules, settle_bets
from ml.settlement.rule_book import ANY_BOOK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ml.settlement import Rules, Settlement

    Columns = Mapping[str, NDArray[Any]]

_STATUS_BY_ENDING = np.array([0, *(GAME_STATUSES.index(GameStatus(word)) for word in STATUSES_BY_PRIORITY)], np.int8)


def settle_columns(bets: Columns, reports: Columns, sports: Mapping[int, str], books: Mapping[int, str]) -> Settlement:
    """Settle bets on the games of `reports` (`edge_assets.store.events.score_reports`).

    `bets` has columns `game` (rows of `reports`), `book`, `market`, `outcome` and `point` (NaN if there is none);
    `delay`, in hours, defaults to 0: the game started on time. `sports` and `books` map ids to keys; a book without a
    key (a price that is not a single book's) has only the rules that all books share.
    """
    rules, rule_index = _distinct_rules(bets, reports, sports, books)
    point = bets["point"].astype(np.float64)
    delay = bets.get("delay", np.zeros(len(point)))
    bets_to_settle = Bets(bets["game"], rule_index, bets["market"], bets["outcome"], point, delay)
    return settle_bets(bets_to_settle, _build_games(reports), rules)


def _build_games(reports: Columns) -> SettledGames:
    regulation, full = (
        np.stack([reports[f"{period}_home"], reports[f"{period}_away"]], axis=1) for period in ("regulation", "full")
    )
    contradicted = np.stack([reports["regulation_contradicted"], reports["full_contradicted"]], axis=1)
    return SettledGames(_STATUS_BY_ENDING[reports["ending"]], full, regulation, contradicted)


def _distinct_rules(
    bets: Columns, reports: Columns, sports: Mapping[int, str], books: Mapping[int, str]
) -> tuple[list[Rules], NDArray[np.intp]]:
    """The distinct rules, and the index of each bet's."""
    rule_keys = np.stack([reports["sport"][bets["game"]].astype(np.int64), bets["market"], bets["book"]])
    distinct, rule_index = np.unique(rule_keys, axis=1, return_inverse=True)
    markets = set(map(int, Market))
    rules = [
        find_rules(sports[sport], Market(market), books.get(book, ANY_BOOK)) if market in markets else None
        for sport, market, book in distinct.T.tolist()
    ]
    return rules, rule_index.ravel()
