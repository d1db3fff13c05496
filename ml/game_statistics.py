"""What both teams of a game are counted by, besides the score."""

from __future__ import annotations

from enum import IntEnum


class Statistic(IntEnum):
    """A count of a game's two teams, in regulation; the numbers are stored (`event_statistics`)."""

    SHOTS = 1
    SHOTS_ON_TARGET = 2
    CORNERS = 3
    FOULS = 4
    YELLOW_CARDS = 5
    RED_CARDS = 6
    HALF_TIME_GOALS = 7

    @property
    def key(self) -> str:
        """The name, `shots_on_target`."""
        return self.name.lower()


MAX_COUNTS = {
    Statistic.SHOTS: 60,
    Statistic.SHOTS_ON_TARGET: 40,
    Statistic.CORNERS: 35,
    Statistic.FOULS: 60,
    Statistic.YELLOW_CARDS: 15,
    Statistic.RED_CARDS: 5,
    Statistic.HALF_TIME_GOALS: 25,
}
"""Of one team. In 54,754 matches of 2012-2024 no team had more than 46 shots, 23 on target, 23 corners and 11 yellow
cards; a match ends when a team has lost its fifth player."""
PARTS = ((Statistic.SHOTS_ON_TARGET, Statistic.SHOTS),)
"""A statistic, and the one that it is part of: no team has more of the first."""
