"""Team ratings of all leagues."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.clock import micros
from edge_assets.store.ratings import TYPES, Game, rated_games, replace_ratings
from ml.features import KnownScore, rate
from ml.quotes import Outcome

if TYPE_CHECKING:
    from psycopg import Connection


def rate_teams(conn: Connection) -> int:
    """Rate every team after each change of its games' scores, anew; return the number of changes."""
    games = rated_games(conn)
    leagues = [_rated(list(league)) for _, league in groupby(games, key=lambda game: game.sport_id)]
    empty = {name: np.empty(0, "i8") for name in TYPES}
    replace_ratings(conn, {name: np.concatenate([part[name] for part in leagues or [empty]]) for name in TYPES})
    return len(games)


def _rated(league: list[Game]) -> dict[str, Any]:
    rows = [
        (
            rating.game,
            Outcome.HOME if rating.is_home else Outcome.AWAY,
            micros(league[rating.step].known_at),
            rating.step,
            rating.games,
            rating.elo,
            np.nan if rating.form is None else rating.form,
            rating.home_bias,
        )
        for rating in rate(map(_known, league))
    ]
    return {name: np.array(column) for name, column in zip(TYPES, zip(*rows, strict=True), strict=True)}


def _known(game: Game) -> KnownScore:
    home, away = game.home_score, game.away_score
    goals = None if home is None or away is None else (home, away)
    return KnownScore(game.event_id, game.home, game.away, goals)
