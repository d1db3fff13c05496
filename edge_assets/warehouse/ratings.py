"""Team ratings of all leagues."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.core.clock import to_micros
from edge_assets.store.analytics.ratings import RATING_TYPES, RatedGame, load_rated_games, replace_ratings
from ml.features import KnownScore, compute_ratings
from ml.quotes import Outcome

if TYPE_CHECKING:
    from psycopg import Connection


def rate_teams(conn: Connection) -> int:
    """Rate every team after each change of its games' scores, from scratch; return the number of changes."""
    games = load_rated_games(conn)
    leagues = [_rate_league(list(league)) for _, league in groupby(games, key=lambda game: game.sport_id)]
    empty = {name: np.empty(0, "i8") for name in RATING_TYPES}
    replace_ratings(conn, {name: np.concatenate([part[name] for part in leagues or [empty]]) for name in RATING_TYPES})
    return len(games)


def _rate_league(league: list[RatedGame]) -> dict[str, Any]:
    rows = [
        (
            rating.game,
            Outcome.HOME if rating.is_home else Outcome.AWAY,
            to_micros(league[rating.step].known_at),
            rating.step,
            rating.games,
            rating.elo,
            np.nan if rating.form is None else rating.form,
            rating.home_bias,
        )
        for rating in compute_ratings(map(_to_known_score, league))
    ]
    return {name: np.array(column) for name, column in zip(RATING_TYPES, zip(*rows, strict=True), strict=True)}


def _to_known_score(game: RatedGame) -> KnownScore:
    home, away = game.home_score, game.away_score
    goals = None if home is None or away is None else (home, away)
    return KnownScore(game.event_id, game.home, game.away, goals)
