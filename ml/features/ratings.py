"""Team ratings after each game, in the order in which results became known.

Elo (1978) as the World Football Elo Ratings apply it to teams (https://www.eloratings.net/about): expected score
1 / (1 + 10^(-d/400)) with d the difference of ratings plus the home advantage; after a game a team gains
K x (score - expected). Score: 1 for a win, 1/2 for a draw, 0 for a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

EVEN_SCORE = 0.5
ELO_SCALE = 400.0


@dataclass(frozen=True, slots=True)
class RatingRules:
    """Constants of the ratings; conventions, not fits."""

    initial_elo: float = 1500.0
    k_factor: float = 20.0
    home_advantage: float = 65.0
    form_games: int = 5
    home_half_life_games: float = 400.0
    """Games of the league after which a home side's result counts half in `home_bias`."""


class KnownScore(NamedTuple):
    """A game's score as known from now on; `goals` is None where no score counts (sources contradict each other)."""

    game: Hashable
    home: Hashable
    away: Hashable
    goals: tuple[int, int] | None


class TeamRating(NamedTuple):
    """A team's rating after change number `step`; `game` is its last game that counts.

    `elo` in rating points; `games` played so far; `form` the mean score of the last games, 0 to 1, None without a game;
    `home_bias` the mean recent score of the league's home sides minus one half.
    """

    step: int
    game: Hashable
    team: Hashable
    is_home: bool
    elo: float
    games: int
    form: float | None
    home_bias: float


def compute_ratings(changes: Iterable[KnownScore], rules: RatingRules | None = None) -> Iterator[TeamRating]:
    """Rate the teams of one league after each change of a known score, oldest first; home before away.

    A game keeps the place at which its score was first known. When a score is retracted or corrected, later games are
    rated again, and every team in them gets a new rating from then on. Ratings already yielded never change.
    """
    league = _League(rules or RatingRules())
    for step, change in enumerate(changes):
        yield from league.apply(step, change)


class _Team(Struct, frozen=True, gc=False):
    """A team's state: its last game, the side it played on, and the scores of its last games, newest last."""

    game: Hashable
    is_home: bool
    elo: float
    games: int
    scores: tuple[float, ...]


class _PlayedGame(Struct, frozen=True, gc=False):
    """A game whose score is known, with the state of the teams and the league before it."""

    known: KnownScore
    home: _Team | None
    away: _Team | None
    home_bias: float


class _League:
    def __init__(self, rules: RatingRules) -> None:
        self._rules = rules
        self._decay = EVEN_SCORE ** (1 / rules.home_half_life_games)
        self._teams: dict[Hashable, _Team] = {}
        self._history: list[_PlayedGame] = []
        self._position: dict[Hashable, int] = {}
        self._home_bias = 0.0

    def apply(self, step: int, change: KnownScore) -> Iterator[TeamRating]:
        place = self._position.setdefault(change.game, len(self._history))
        if place == len(self._history):
            self._apply_game(change)
            yield self._team_rating(step, change.home, change)
            yield self._team_rating(step, change.away, change)
            return
        replayed = [change, *(played.known for played in self._history[place + 1 :])]
        for played in reversed(self._history[place:]):
            self._undo(played)
        del self._history[place:]
        for known in replayed:
            self._apply_game(known)
        touched = {team: known for known in replayed for team in (known.home, known.away)}
        for team, known in touched.items():
            yield self._team_rating(step, team, known)

    def _undo(self, played: _PlayedGame) -> None:
        known = played.known
        for team, before in ((known.home, played.home), (known.away, played.away)):
            if before is None:
                self._teams.pop(team, None)
            else:
                self._teams[team] = before
        self._home_bias = played.home_bias

    def _apply_game(self, known: KnownScore) -> None:
        before = _PlayedGame(known, self._teams.get(known.home), self._teams.get(known.away), self._home_bias)
        self._history.append(before)
        if known.goals is None:
            return
        rules, (scored, conceded) = self._rules, known.goals
        score = EVEN_SCORE + EVEN_SCORE * ((scored > conceded) - (scored < conceded))
        home, away = (team.elo if team else rules.initial_elo for team in (before.home, before.away))
        gain = rules.k_factor * (score - _expected_score(home - away + rules.home_advantage))
        self._home_bias = self._decay * self._home_bias + (1 - self._decay) * (score - EVEN_SCORE)
        self._teams[known.home] = self._updated_team(before.home, known.game, True, home + gain, score)
        self._teams[known.away] = self._updated_team(before.away, known.game, False, away - gain, 1 - score)

    def _updated_team(self, before: _Team | None, game: Hashable, is_home: bool, elo: float, score: float) -> _Team:
        games, scores = (before.games, before.scores) if before else (0, ())
        return _Team(game, is_home, elo, games + 1, (*scores, score)[-self._rules.form_games :])

    def _team_rating(self, step: int, team: Hashable, last: KnownScore) -> TeamRating:
        """The team's state; the initial one, with the game `last`, if none of its games counts any more."""
        state = self._teams.get(team) or _Team(last.game, team == last.home, self._rules.initial_elo, 0, ())
        form = sum(state.scores) / len(state.scores) if state.scores else None
        return TeamRating(step, state.game, team, state.is_home, state.elo, state.games, form, self._home_bias)


def _expected_score(difference: float) -> float:
    expected: float = 1 / (1 + 10 ** (-difference / ELO_SCALE))
    return expected
