"""States of teams: exponentially weighted means of what was observed in their last games, as known at any moment.

The mean of an observation x over a team's games, newest first: sum of 2^(-i/h) x_i / (sum of 2^(-i/h) + s), with a
half-life of h games and s the weight of a prior of 0, so that a team with few games is near the average. A game without
the observation (NaN) counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HALF_LIVES_GAMES = (1.0, 4.0, 15.0)
"""Without the shortest a ridge regression recovers 9.3% of the move to the close, not 9.9% (1X2, unseen training folds
to 2022); half-lives of 3, 8 and 25 games recover 9.7%, one of 40 games adds nothing."""
PRIOR_GAMES = 2.0


class TeamGames(NamedTuple):
    """Games (N,) that teams played: numbers of `home` and `away`, and when everything observed in them was known.

    `differences` (N, d) are observations from the home side's view, of which the away side sees the negative; `sums`
    (N, s) both sides see alike. NaN where not observed. Times in microseconds.
    """

    home: NDArray[np.int32]
    away: NDArray[np.int32]
    known_at: NDArray[np.int64]
    differences: Array
    sums: Array


class EventStates(NamedTuple):
    """What both teams' states say of events (E,): means of differences (E, h, d) and of sums (E, h, s) by half-life.

    `difference` is the home side's mean minus the away side's, `total` the sum of both sides'. `games` (E, 2) counts
    each side's games, `last` (E, 2) is when the last one was known, in microseconds, `UNKNOWN_TIME` without one.
    """

    difference: Array
    total: Array
    games: NDArray[np.int64]
    last: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class TeamStates:
    """The states of T teams after the games so far; `observe` adds games, `read` asks for events."""

    difference: Array
    sums: Array
    difference_weight: Array
    sums_weight: Array
    games: NDArray[np.int64]
    last: NDArray[np.int64]
    decay: Array

    @classmethod
    def start(cls, teams: int, games: TeamGames, half_lives: tuple[float, ...] = HALF_LIVES_GAMES) -> TeamStates:
        """Teams without games, to observe such as `games`."""
        decay = 0.5 ** (1 / np.array(half_lives))[:, None]
        differences, sums = games.differences.shape[1], games.sums.shape[1]
        shapes = (teams, len(decay), differences), (teams, len(decay), sums)
        played, last = np.zeros(teams, np.int64), np.full(teams, np.iinfo(np.int64).min)
        return cls(
            np.zeros(shapes[0]), np.zeros(shapes[1]), np.zeros(shapes[0]), np.zeros(shapes[1]), played, last, decay
        )

    def observe(self, games: TeamGames, rows: NDArray[np.intp]) -> None:
        """Add the games `rows`, in this order."""
        for some in _without_repeated_teams(games.home, games.away, rows):
            for team, sign in ((games.home[some], 1.0), (games.away[some], -1.0)):
                _update(self.difference, self.difference_weight, team, sign * games.differences[some], self.decay)
                _update(self.sums, self.sums_weight, team, games.sums[some], self.decay)
                self.games[team] += 1
                self.last[team] = games.known_at[some]

    def read(self, home: NDArray[np.int32], away: NDArray[np.int32]) -> EventStates:
        """The states for events (E,) of these teams."""
        differences, totals = (
            [total[team] / (weight[team] + PRIOR_GAMES) for team in (home, away)]
            for total, weight in ((self.difference, self.difference_weight), (self.sums, self.sums_weight))
        )
        both = np.stack([home, away], axis=1)
        return EventStates(differences[0] - differences[1], totals[0] + totals[1], self.games[both], self.last[both])


def replay_states(
    games: TeamGames,
    home: NDArray[np.int32],
    away: NDArray[np.int32],
    at: NDArray[np.int64],
    teams: int,
    half_lives: tuple[float, ...] = HALF_LIVES_GAMES,
) -> EventStates:
    """The states for events (E,) as known at `at` (E,): of games with `known_at` <= `at` only."""
    states = TeamStates.start(teams, games, half_lives)
    order = np.argsort(games.known_at, kind="stable")
    known = games.known_at[order]
    asked = np.argsort(at, kind="stable")
    moments, first = np.unique(at[asked], return_index=True)
    parts, done = [], 0
    for moment, rows in zip(moments, np.split(asked, first[1:]), strict=True):
        upto = int(np.searchsorted(known, moment, side="right"))
        states.observe(games, order[done:upto])
        done = upto
        parts.append(states.read(home[rows], away[rows]))
    if not parts:
        return states.read(home, away)
    place = np.empty_like(asked)
    place[asked] = np.arange(len(asked))
    return EventStates(*(np.concatenate(column)[place] for column in zip(*parts, strict=True)))


def _update(total: Array, weight: Array, team: NDArray[np.int32], observed: Array, decay: Array) -> None:
    known = ~np.isnan(observed)[:, None, :]
    value = np.where(known, observed[:, None, :], 0.0)
    keep = np.where(known, decay, 1.0)
    total[team] = total[team] * keep + value
    weight[team] = weight[team] * keep + known


def _without_repeated_teams(
    home: NDArray[np.int32], away: NDArray[np.int32], rows: NDArray[np.intp]
) -> Iterator[NDArray[np.intp]]:
    """`rows` in pieces, in order, in which no team plays twice: a piece is added at once."""
    start, seen = 0, set[int]()
    for i, pair in enumerate(zip(home[rows].tolist(), away[rows].tolist(), strict=True)):
        if seen.intersection(pair):
            yield rows[start:i]
            start, seen = i, set()
        seen.update(pair)
    if start < len(rows):
        yield rows[start:]
