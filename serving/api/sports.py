"""Names of sports: what people type, and the feed's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALIASES = {
    "nfl": "americanfootball_nfl",
    "ncaaf": "americanfootball_ncaaf",
    "nba": "basketball_nba",
    "wnba": "basketball_wnba",
    "ncaab": "basketball_ncaab",
    "euroleague": "basketball_euroleague",
    "mlb": "baseball_mlb",
    "nhl": "icehockey_nhl",
    "epl": "soccer_epl",
    "laliga": "soccer_spain_la_liga",
    "bundesliga": "soccer_germany_bundesliga",
    "seriea": "soccer_italy_serie_a",
    "ligue1": "soccer_france_ligue_one",
    "ucl": "soccer_uefa_champs_league",
    "mls": "soccer_usa_mls",
    "mma": "mma_mixed_martial_arts",
    "ufc": "mma_mixed_martial_arts",
    "boxing": "boxing_boxing",
}
"""Short names of sports; every key of the feed is accepted as well."""


class UnknownSportError(LookupError):
    """A name that is neither an alias nor a sport of this installation."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(name)
        self.name = name
        self.known = sorted(known)


def resolve_sport(name: str, stored: Iterable[str]) -> str:
    """The feed's key for `name`, given the keys `stored` in the database; `UnknownSportError` otherwise."""
    wanted = name.lower()
    keys = {*ALIASES.values(), *stored}
    key = ALIASES.get(wanted, wanted)
    if key not in keys:
        raise UnknownSportError(name, {*ALIASES, *keys})
    return key
