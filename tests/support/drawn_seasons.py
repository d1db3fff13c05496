"""Seasons drawn at random, as arrays: teams whose strength the closing price knows better than the opening one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ml.features.market_view import MarketView
from ml.features.performance import PlayedGames
from ml.quotes import MARKET_OUTCOMES, Market

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DAY = 86_400_000_000
TEAMS = 20
BOOKS = ("bet365", "pinnacle", "bwin")


def round_starts(games: int) -> NDArray[np.int64]:
    """Starts of rounds of ten games, five days apart, five of them at the same time."""
    number = np.arange(games)
    return ((number // 10) * 5 * DAY + (number % 10 // 5) * DAY // 6).astype(np.int64)


def pairs(rng: np.random.Generator, games: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Home and away team of each game: every team once a round."""
    rounds = np.concatenate([rng.permutation(TEAMS).reshape(-1, 2) for _ in range(-(-games // 10))])[:games]
    home, away = rounds.T.astype(np.int32)
    return home, away


def draw_games(seed: int, games: int = 1_200) -> PlayedGames:
    """Games with prices, scores and shots; a few without shots, a few without a result."""
    rng = np.random.default_rng(seed)
    home, away = pairs(rng, games)
    strength = rng.normal(0, 0.5, TEAMS)
    lead = 0.3 + strength[home] - strength[away]
    weight = np.exp(np.stack([lead, np.zeros(games), np.full(games, -0.1)], axis=1))
    close = weight / weight.sum(axis=1, keepdims=True)
    total = np.full((games, 2), 0.5) + rng.normal(0, 0.05, games)[:, None] * np.array([1, -1])
    score = rng.poisson(np.exp(np.stack([0.2 + lead / 2, 0.2 - lead / 2], axis=1))).astype(np.float64)
    shots = rng.poisson(12 * np.exp(np.stack([lead / 4, -lead / 4], axis=1))).astype(np.float64)
    start = round_starts(games)
    known_at = start + 2 * 3_600_000_000
    unplayed = rng.random(games) < 0.02
    score[unplayed], known_at[unplayed] = np.nan, np.iinfo(np.int64).max
    shots[unplayed | (rng.random(games) < 0.1)] = np.nan
    moves = rng.normal(0, 0.05, (2, games))
    return PlayedGames(home, away, start, known_at, close, moves[0], total, moves[1], score, {"shots": shots})


def draw_view(games: PlayedGames, market: Market = Market.H2H_3_WAY, seed: int = 1) -> MarketView:
    """Prices on offer two days before each game: three books around the close, one of them sometimes missing."""
    rng = np.random.default_rng(seed)
    outcomes, size = len(MARKET_OUTCOMES[market]), len(games.start)
    fair = games.result_close if outcomes == 3 else games.total_close
    price = 1 / (fair[:, None] * 1.04 * np.exp(rng.normal(0, 0.02, (size, len(BOOKS), outcomes))))
    price[rng.random(size) < 0.2, 0] = np.nan
    known: dict[str, Any] = {"point": np.full(size, 2.5 if market is Market.TOTALS else np.nan)}
    logs = np.log(games.result_close)
    return MarketView(
        market, games.start, games.start - 2 * DAY, games.home, games.away, BOOKS, price,
        rng.uniform(0, 1e5, (size, len(BOOKS))), np.nanmean(price, axis=1), np.nanmax(price, axis=1),
        known["point"], logs[:, 0] - logs[:, 1], np.log(games.total_close[:, 0] / games.total_close[:, 1]), "pinnacle",
    )  # fmt: skip
