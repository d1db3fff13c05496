"""The simulated leagues: real sport keys, so that all code paths are the real ones, and invented teams."""

from __future__ import annotations

from dataclasses import dataclass

TOWNS = (
    "Ashby", "Brackwater", "Caldmoor", "Dunhollow", "Eastmere", "Fernside", "Glenrock", "Harrowgate", "Ironvale",
    "Junewick", "Kestrel Bay", "Longmarsh", "Millbrook", "Northolt Hill", "Oakridge", "Pinecross", "Quarry Head",
    "Ravenford", "Stonebridge", "Thornbury",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimulatedLeague:
    """A league: mean and standard deviation of one side's points before any news.

    `three_way`: the result is home, draw or away; otherwise a tie goes to overtime. `offset_seconds` staggers the
    leagues' starts. `key_numbers` are absolute margins with the factor by which they are more frequent.
    """

    key: str
    group: str
    title: str
    nickname: str
    mean_points: float
    deviation: float
    home_advantage: float
    offset_seconds: int
    three_way: bool = False
    regulation_books: bool = False
    key_numbers: tuple[tuple[int, float], ...] = ()

    def team_name(self, number: int) -> str:
        """The name of team `number`; there are `len(TOWNS)`."""
        return f"{TOWNS[number]} {self.nickname}"


def pair_teams(slot: int) -> tuple[int, int]:
    """The numbers of the home and the away team in a league's game number `slot`.

    The circle method: every two teams meet once in a half season of 190 games, and again with sides swapped. A
    team's games are at least nine apart, more than are listed at once.
    """
    half, game = divmod(slot, len(TOWNS) * (len(TOWNS) - 1) // 2)
    day, place = divmod(game, len(TOWNS) // 2)
    circle = len(TOWNS) - 1
    teams = ((day + place) % circle, (day - place) % circle if place else circle)
    is_swapped = (half + (place or day)) % 2
    return (teams[1], teams[0]) if is_swapped else teams


NFL_KEY_NUMBERS = ((3, 3.7), (6, 1.7), (7, 2.4), (10, 1.6), (14, 2.1))
"""Margins that touchdowns and field goals make more frequent (see `ml.mean_points.sports`)."""
LEAGUES = (
    SimulatedLeague(
        "americanfootball_nfl",
        "American Football",
        "NFL (simulated)",
        "Comets",
        23.0,
        9.0,
        2.0,
        0,
        key_numbers=NFL_KEY_NUMBERS,
    ),
    SimulatedLeague("basketball_nba", "Basketball", "NBA (simulated)", "Herons", 113.0, 9.5, 2.4, 180),
    SimulatedLeague("soccer_epl", "Soccer", "EPL (simulated)", "Athletic", 1.5, 1.15, 0.3, 360, three_way=True),
    SimulatedLeague(
        "icehockey_nhl", "Ice Hockey", "NHL (simulated)", "Owls", 3.1, 1.6, 0.2, 540, regulation_books=True
    ),
)
"""NHL: some books post the three-way regulation result under `h2h`, as European books do."""
