"""Which of our events a game of another source is: by its teams' names, in either order, and its start."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from edge_assets.naming import sides

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FARTHEST = timedelta(hours=12)
"""By how much starts may differ: listings move by up to 49 minutes; the next game of two teams is a day away, or the
second of a doubleheader, which is told by the nearest start."""


class Fixture(Protocol):
    """One of our events."""

    @property
    def home_team(self) -> str: ...  # noqa: D102 - what it says
    @property
    def away_team(self) -> str: ...  # noqa: D102 - what it says
    @property
    def commence_at(self) -> datetime: ...  # noqa: D102 - what it says


class Game(Protocol):
    """A game of another source."""

    @property
    def home(self) -> str: ...  # noqa: D102 - what it says
    @property
    def away(self) -> str: ...  # noqa: D102 - what it says
    @property
    def start(self) -> datetime: ...  # noqa: D102 - what it says


G = TypeVar("G", bound=Game)
F = TypeVar("F", bound=Fixture)


class Match(NamedTuple):
    """The numbers of a game and of its event; `swapped` if the other source has home and away the other way round."""

    game: int
    event: int
    swapped: bool


def match_games(sport: str, games: Sequence[Game], events: Sequence[Fixture]) -> tuple[list[Match], Counter[str]]:
    """The event of each game, and how many games have none, by reason.

    Of several events of the same teams the nearest start is taken, each event once. Two that are equally near are
    nobody's.
    """
    ours: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, event in enumerate(events):
        ours[_teams(sport, event.home_team, event.away_team)].append(number)
    pairs = [
        (abs(game.start - events[event].commence_at), number, event)
        for number, game in enumerate(games)
        for event in ours[_teams(sport, game.home, game.away)]
    ]
    near = sorted(pair for pair in pairs if pair[0] <= FARTHEST)
    found = _nearest(near)
    matches = [Match(game, event, _swapped(sport, games[game], events[event])) for game, event in sorted(found.items())]
    rivals = {game for _, game, _ in near} - found.keys()
    unknown = Counter(unknown_event=len(games) - len(found) - len(rivals), ambiguous_event=len(rivals))
    return matches, +unknown


def _nearest(near: Iterable[tuple[timedelta, int, int]]) -> dict[int, int]:
    """Pairs of game and event, nearest first, each used once; ties between two free ones are left alone."""
    distances: dict[tuple[str, int], Counter[timedelta]] = defaultdict(Counter)
    near = list(near)
    for apart, game, event in near:
        distances["game", game][apart] += 1
        distances["event", event][apart] += 1
    found: dict[int, int] = {}
    taken: set[int] = set()
    for apart, game, event in near:
        alone = distances["game", game][apart] == 1 and distances["event", event][apart] == 1
        if alone and game not in found and event not in taken:
            found[game] = event
            taken.add(event)
    return found


def _teams(sport: str, home: str, away: str) -> tuple[str, ...]:
    return tuple(sorted(sides(sport, home, away)))


def _swapped(sport: str, game: Game, event: Fixture) -> bool:
    return sides(sport, game.home, game.away) != sides(sport, event.home_team, event.away_team)
