"""Names of teams by sport: the one that is kept, and the form in which two names are compared.

`teams.toml` names what no rule finds: `Man United` is `Manchester United`, `L.A. Rams` the `Los Angeles Rams`. Names on
its left are compared as everything is: without accents, case, punctuation and `FC`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

FORMS_OF_CLUB = frozenset(
    {"afc", "ac", "as", "bk", "cf", "fc", "fk", "if", "sc", "sk", "ssc", "sv", "tsg", "ud", "vfb", "vfl"}
)
"""Left out where two names of clubs are compared, unless nothing else is there."""
CLUBS = "soccer"
LETTERS = str.maketrans({"ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "&": " and "})
APOSTROPHES = re.compile("['\u2019`\u00b4.]")
NO_LETTERS = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=65_536)
def canonical(sport: str, name: str) -> str:
    """The name that a team goes by, whatever it is called; an unknown one as it comes."""
    return _aliases(family(sport)).get(comparable(sport, name), " ".join(name.split()))


@lru_cache(maxsize=65_536)
def comparable(sport: str, name: str) -> str:
    """A name reduced to what tells teams apart; by canonical names, the same for all names of a team."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    words = NO_LETTERS.sub(" ", APOSTROPHES.sub("", plain)).split()
    if family(sport) == CLUBS:
        words = [word for word in words if word not in FORMS_OF_CLUB] or words
    return "".join(words)


def sides(sport: str, home: str, away: str) -> tuple[str, str]:
    """Both teams in comparable form."""
    first, second = (comparable(sport, canonical(sport, name)) for name in (home, away))
    return first, second


def family(sport: str) -> str:
    """`soccer` of `soccer_epl`."""
    return sport.partition("_")[0]


@cache
def _aliases(sport: str) -> dict[str, str]:
    listed: dict[str, dict[str, str]] = _tables()
    return {comparable(sport, alias): name for alias, name in listed.get(sport, {}).items()}


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("teams.toml").read_text(encoding="utf-8"))
