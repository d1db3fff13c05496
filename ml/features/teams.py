"""Features of the teams: their states and the market's ratings of them, as known when a decision is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from ml.features.market_ratings import LEARNING_RATES, MarketRatings, RatedGames, replay_market_ratings
from ml.features.orientation import Axis, orient
from ml.features.performance import DIFFERENCES, SUMS, observe_games, result_log_odds, total_log_odds
from ml.features.registry import Feature, FeatureTable, KnownAt
from ml.features.team_states import HALF_LIVES_GAMES, TeamStates, replay_states
from ml.quotes import MICROS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ml.features.market_view import MarketView
    from ml.features.performance import PlayedGames
    from ml.features.team_states import EventStates, TeamGames

    Array = NDArray[np.float64]

SIDE_HALF_LIVES_GAMES = (8.0,)
"""Of the states at home and away. They add .3% of the move to the close (ridge, 1X2, unseen training folds to 2022)."""
MAX_REST_DAYS = 60.0
MAX_GAMES = 50
_NO_GAME = "no earlier game of one of the teams is known"
_NO_GAMES = "never missing: 0, the average, without games"


class TeamKnowledge(NamedTuple):
    """What is known of both teams of events (E,): states, and log-odds (E, rates) of the result and of over.

    `by_side` are the states of the home team at home and of the away team away.
    """

    states: EventStates
    by_side: EventStates
    result: Array
    total: Array


class TeamSource(Protocol):
    """Knows teams as of a moment."""

    def ask(self, home: NDArray[np.int32], away: NDArray[np.int32], at: NDArray[np.int64]) -> TeamKnowledge:
        """What was known of the teams of events (E,) at `at` (E,), in microseconds."""


class TeamHistory(NamedTuple):
    """What is known of the games of teams, each game with the time from which it is; for training and backtests."""

    observed: TeamGames
    rated_results: RatedGames
    rated_totals: RatedGames

    @classmethod
    def of(cls, games: PlayedGames) -> TeamHistory:
        """The history that `games` are."""
        result, total = result_log_odds(games.result_close), total_log_odds(games.total_close)
        rated = (RatedGames(games.home, games.away, games.start, log_odds) for log_odds in (result, total))
        return cls(observe_games(games), *rated)

    def ask(self, home: NDArray[np.int32], away: NDArray[np.int32], at: NDArray[np.int64]) -> TeamKnowledge:
        """What was known at any moment: all games are replayed."""
        asked = (home, away, at, self._count_teams(home, away))
        teams = 2 * asked[-1]
        return TeamKnowledge(
            replay_states(self.observed, *asked),
            replay_states(_by_side(self.observed), 2 * home, 2 * away + 1, at, teams, SIDE_HALF_LIVES_GAMES),
            replay_market_ratings(self.rated_results, *asked),
            replay_market_ratings(self.rated_totals, *asked, is_sum=True),
        )

    def as_of(self, at: int, teams: int = 0) -> CurrentTeams:
        """What was known at `at`, to be asked again and again from then on; of at least `teams` numbers of teams."""
        teams = max(teams, self._count_teams())
        states = TeamStates.start(teams, self.observed)
        by_side = TeamStates.start(2 * teams, self.observed, SIDE_HALF_LIVES_GAMES)
        order = np.argsort(self.observed.known_at, kind="stable")
        known = order[: np.searchsorted(self.observed.known_at[order], at, side="right")]
        states.observe(self.observed, known)
        by_side.observe(_by_side(self.observed), known)
        ratings = MarketRatings(teams, is_sum=False), MarketRatings(teams, is_sum=True)
        for each, games in zip(ratings, (self.rated_results, self.rated_totals), strict=True):
            order, known_at = games.in_order()
            each.add(games, order[: np.searchsorted(known_at, at, side="right")])
        return CurrentTeams(at, states, by_side, *ratings)

    def _count_teams(self, *sides: NDArray[np.int32]) -> int:
        """Numbers that teams may have: a team that is asked for may not have played yet."""
        return 1 + max(int(side.max(initial=-1)) for side in (self.observed.home, self.observed.away, *sides))


class CurrentTeams(NamedTuple):
    """What was known of teams at `known_at`, for the scorer: asking costs microseconds an event."""

    known_at: int
    states: TeamStates
    by_side: TeamStates
    result_ratings: MarketRatings
    total_ratings: MarketRatings

    def ask(self, home: NDArray[np.int32], away: NDArray[np.int32], at: NDArray[np.int64]) -> TeamKnowledge:
        """As `TeamHistory.ask` for any `at` (E,) until the next game is known; `ValueError` before `known_at`."""
        if (at < self.known_at).any():
            msg = f"teams as known at {self.known_at} are asked for {int(at.min())}"
            raise ValueError(msg)
        pairs = list(zip(home.tolist(), away.tolist(), strict=True))
        result, total = (
            np.array([ratings.log_odds(*pair) for pair in pairs]).reshape(len(pairs), len(LEARNING_RATES))
            for ratings in (self.result_ratings, self.total_ratings)
        )
        by_side = self.by_side.read(2 * home, 2 * away + 1)
        return TeamKnowledge(self.states.read(home, away), by_side, result, total)


def _by_side(games: TeamGames) -> TeamGames:
    """A team at home and the same team away as two."""
    return games._replace(home=2 * games.home, away=2 * games.away + 1)


def _state_features(half_lives: tuple[float, ...], games: str = "games") -> Iterator[Feature]:
    for half_life in half_lives:
        for what, names in (("difference", DIFFERENCES), ("total", SUMS)):
            sides = "home minus away" if what == "difference" else "home plus away"
            for name in names:
                unit = f"{sides}, mean surprise in {games}, half-life of {half_life:g}"
                key = f"{what}:{name}:{half_life:g}" + ("" if games == "games" else ":by_side")
                yield Feature(key, unit, KnownAt.EARLIER_RESULTS, _NO_GAMES)


def _rating_features() -> Iterator[Feature]:
    for rate in LEARNING_RATES:
        for what in ("result", "total"):
            unit = "log-odds by ratings minus those on offer"
            yield Feature(f"rating_gap:{what}:{rate:g}", unit, KnownAt.EARLIER_STARTS, _NO_GAME)


TEAM_FEATURES = (
    *_state_features(HALF_LIVES_GAMES),
    *_state_features(SIDE_HALF_LIVES_GAMES, "home games and in away games"),
    *_rating_features(),
    Feature("rest_difference", "days, at most 60", KnownAt.EARLIER_RESULTS, _NO_GAME),
    Feature("fewest_games", "count, at most 50", KnownAt.EARLIER_RESULTS, "never missing"),
)


def team_features(view: MarketView, source: TeamSource) -> FeatureTable:
    """The features of both teams of each event, by outcome: of what was known at `view.at` only."""
    states, by_side, result, total = source.ask(view.home, view.away, view.at)
    result, total = result - view.supremacy[:, None], total - view.total[:, None]
    with np.errstate(over="ignore"):
        days = np.minimum((view.at[:, None] - states.last.astype(np.float64)) / MICROS_PER_DAY, MAX_REST_DAYS)
    days[states.games == 0] = np.nan
    values: list[Array] = []
    for known in (states, by_side):
        for h in range(known.difference.shape[1]):
            values += [orient(column, Axis.SUPREMACY, view.market) for column in known.difference[:, h].T]
            values += [orient(column, Axis.TOTAL, view.market) for column in known.total[:, h].T]
    for k in range(len(LEARNING_RATES)):
        values += [orient(result[:, k], Axis.SUPREMACY, view.market), orient(total[:, k], Axis.TOTAL, view.market)]
    values += [orient(days[:, 0] - days[:, 1], Axis.SUPREMACY, view.market)]
    fewest = np.minimum(states.games.min(axis=1), MAX_GAMES)
    values += [orient(fewest.astype(np.float64), Axis.NEITHER, view.market)]
    return FeatureTable(TEAM_FEATURES, np.stack(values, axis=2).astype(np.float32))
