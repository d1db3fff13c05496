"""The simulated leagues: real sport keys, so that every path is the real one, with teams that do not exist."""

from __future__ import annotations

from dataclasses import dataclass

TOWNS = (
    "Ashby", "Brackwater", "Caldmoor", "Dunhollow", "Eastmere", "Fernside", "Glenrock", "Harrowgate", "Ironvale",
    "Junewick", "Kestrel Bay", "Longmarsh", "Millbrook", "Northolt Hill", "Oakridge", "Pinecross", "Quarry Head",
    "Ravenford", "Stonebridge", "Thornbury",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimulatedLeague:
    """How a league is played: mean points and standard deviation of one side's score, before anything is known.

    `three_way`: the result is home, draw or away; elsewhere a tie is played on until it is decided. `offset_seconds`
    (s) staggers the leagues' starts. `key_numbers` are margins, either way round, that happen so many times more often.
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
    """The numbers of the home and the away team of a league's game number `slot`, without end.

    The circle method: every two teams meet once in a half season of 190 games, and once more the other way round. A
    team's games are at least nine apart, which is more than are listed at a time.
    """
    half, game = divmod(slot, len(TOWNS) * (len(TOWNS) - 1) // 2)
    day, place = divmod(game, len(TOWNS) // 2)
    circle = len(TOWNS) - 1
    teams = ((day + place) % circle, (day - place) % circle if place else circle)
    is_swapped = (half + (place or day)) % 2
    return (teams[1], teams[0]) if is_swapped else teams


NFL_KEY_NUMBERS = ((3, 3.7), (6, 1.7), (7, 2.4), (10, 1.6), (14, 2.1))
"""What touchdowns and field goals make of the margins of American football (see `ml.mean_points.sports`)."""
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
"""NHL: some books post the three-way regulation result under the same `h2h`, as European books do."""
