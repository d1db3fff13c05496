"""Where ESPN keeps the leagues of The Odds API."""

from __future__ import annotations

from typing import NamedTuple

from edge_assets.reference.sports import load_known_sports


class EspnLeague(NamedTuple):
    """The path of a scoreboard; college scoreboards show only ranked teams unless asked for a `group`."""

    path: str
    group: int | None = None


LEAGUES_BY_SPORT = {
    key: EspnLeague(sport.espn, sport.espn_group) for key, sport in load_known_sports().items() if sport.espn
}
