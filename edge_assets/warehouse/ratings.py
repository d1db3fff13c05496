"""Team ratings of all leagues."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.clock import micros
from edge_assets.store.ratings import TYPES, Game, rated_games, replace_ratings
from ml.features import rate
from ml.quotes import Outcome

if TYPE_CHECKING:
    from psycopg import Connection

SIDES = (Outcome.HOME, Outcome.AWAY)


def rate_teams(conn: Connection) -> int:
    """Rate every team after each of its games, anew; return the number of games."""
    games = rated_games(conn)
    leagues = [_rated(list(league)) for _, league in groupby(games, key=lambda game: game.sport_id)]
    empty = {name: np.empty(0, "i8") for name in TYPES}
    replace_ratings(conn, {name: np.concatenate([part[name] for part in leagues or [empty]]) for name in TYPES})
    return len(games)


def _rated(league: list[Game]) -> dict[str, Any]:
    goals = np.array([(g.home_score, g.away_score) for g in league], np.int16)
    ratings = rate([(g.home, g.away) for g in league], goals)
    return {
        "event_id": np.repeat([g.event_id for g in league], 2),
        "outcome_id": np.tile(SIDES, len(league)),
        "known_at": np.repeat([micros(g.known_at) for g in league], 2),
        "games": ratings.games.ravel(),
        "elo": ratings.elo.ravel(),
        "form": ratings.form.ravel(),
        "home_bias": np.repeat(ratings.home_bias, 2),
    }
