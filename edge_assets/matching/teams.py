"""Names of teams by sport: the one that is kept, and the key by which two names are compared.

`teams.toml` lists what no rule finds: `Man United` is `Manchester United`, `L.A. Rams` the `Los Angeles Rams`. Names of
other scripts are compared in their own: a transliteration differs from source to source, and one that is wrong would
make one team of two, where comparing too little only leaves two sources apart.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from edge_assets.texts import folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLUB_FORMS = frozenset(
    {"afc", "ac", "as", "bk", "cf", "fc", "fk", "if", "sc", "sk", "ssc", "sv", "tsg", "ud", "vfb", "vfl"}
)
"""Left out where two names of soccer clubs are compared, unless nothing else is there."""
UNDECOMPOSED_LETTERS = str.maketrans(
    {
        "ø": "o",
        "æ": "ae",
        "œ": "oe",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
        "ŧ": "t",
        "ŋ": "n",
    }
    | {"ə": "a", "&": " and "}
)
"""Letters that Unicode takes for letters of their own, as sources that know ASCII only write them."""
APOSTROPHES = re.compile("['\u2018\u2019\u02bb\u02bc`\u00b4.]")
FIRST_MARK, LAST_MARK = "\u0300", "\u036f"
"""The combining marks of Latin, Greek and Cyrillic letters; those of other scripts tell words apart."""
WORD_CATEGORIES = frozenset("LMN")
"""Letters, their marks and digits, by the first letter of the Unicode category."""
SOCCER, COLLEGE = "soccer", "college"
Table = dict[str, dict[str, list[str]]]


@lru_cache(maxsize=65_536)
def canonical(sport: str, name: str) -> str:
    """The name that a team goes by, whatever it is called; an unknown one as it comes."""
    return _names(sport).get(comparable(sport, name), " ".join(name.split()))


@lru_cache(maxsize=65_536)
def comparable(sport: str, name: str) -> str:
    """A name reduced to what tells teams apart. Empty where nothing is left: such a name is nobody's."""
    words = _words(name)
    if family(sport) == SOCCER:
        words = ["united" if word == "utd" else word for word in words]
        words = [word for word in words if word not in CLUB_FORMS] or words
    if is_college(sport):
        words = words[:1] + ["state" if word == "st" else word for word in words[1:]]
    return "".join("st" if word == "saint" else word for word in words)


@lru_cache(maxsize=65_536)
def team_key(sport: str, name: str) -> str:
    """The same text for all names of a team, and of no other team of its league; empty for a name that is none."""
    return comparable(sport, canonical(sport, name))


def family(sport: str) -> str:
    """`soccer` of `soccer_epl`."""
    return sport.partition("_")[0]


def is_college(sport: str) -> bool:
    """Whether American colleges play it: `basketball_ncaab`, `americanfootball_ncaaf`."""
    return "ncaa" in sport


def _words(name: str) -> list[str]:
    plain = APOSTROPHES.sub("", folded(name).translate(UNDECOMPOSED_LETTERS))
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not FIRST_MARK <= c <= LAST_MARK)
    composed = unicodedata.normalize("NFC", bare)
    return "".join(c if unicodedata.category(c)[0] in WORD_CATEGORIES else " " for c in composed).split()


@cache
def _names(sport: str) -> Mapping[str, str]:
    """The kept names by the comparable form of all the others, those of the longest section first."""
    found: dict[str, str] = {}
    for section in sorted(table(), key=len):
        if (section == COLLEGE and is_college(sport)) or f"{sport}_".startswith(f"{section}_"):
            found |= {comparable(sport, other): name for name, other in other_names(section)}
    return found


def other_names(section: str) -> Iterator[tuple[str, str]]:
    """Pairs of the kept name and another one; of a college also with its mascot, as `teams.toml` says."""
    for name, others in table()[section].items():
        mascot = name.removeprefix(others[0]) if section == COLLEGE else ""
        for other in others:
            yield name, other
            if mascot:
                yield name, other + mascot


@cache
def table() -> Table:
    """What `teams.toml` says: the other names by the kept one, by section."""
    return tomllib.loads(files(__package__).joinpath("teams.toml").read_text(encoding="utf-8"))
