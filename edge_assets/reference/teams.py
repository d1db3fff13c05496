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

from edge_assets.core.texts import fold_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLUB_ABBREVIATIONS = frozenset(
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
APOSTROPHES_AND_DOTS = re.compile("['\u2018\u2019\u02bb\u02bc`\u00b4.]")
FIRST_COMBINING_MARK, LAST_COMBINING_MARK = "\u0300", "\u036f"
"""The combining marks of Latin, Greek and Cyrillic letters; those of other scripts tell words apart."""
WORD_CATEGORIES = frozenset("LMN")
"""Letters, their marks and digits, by the first letter of the Unicode category."""
SOCCER, COLLEGE = "soccer", "college"
AliasTable = dict[str, dict[str, list[str]]]


@lru_cache(maxsize=65_536)
def canonical_name(sport: str, name: str) -> str:
    """The name that a team goes by, whatever it is called; an unknown one as it comes."""
    return _canonical_by_alias(sport).get(normalize_name(sport, name), " ".join(name.split()))


@lru_cache(maxsize=65_536)
def normalize_name(sport: str, name: str) -> str:
    """A name reduced to what tells teams apart. Empty where nothing is left: such a name is nobody's."""
    words = _split_words(name)
    if sport_family(sport) == SOCCER:
        words = ["united" if word == "utd" else word for word in words]
        words = [word for word in words if word not in CLUB_ABBREVIATIONS] or words
    if is_college_sport(sport):
        words = words[:1] + ["state" if word == "st" else word for word in words[1:]]
    return "".join("st" if word == "saint" else word for word in words)


@lru_cache(maxsize=65_536)
def team_key(sport: str, name: str) -> str:
    """The same text for all names of a team, and of no other team of its league; empty for a name that is none."""
    return normalize_name(sport, canonical_name(sport, name))


def sport_family(sport: str) -> str:
    """`soccer` of `soccer_epl`."""
    return sport.partition("_")[0]


def is_college_sport(sport: str) -> bool:
    """Whether American colleges play it: `basketball_ncaab`, `americanfootball_ncaaf`."""
    return "ncaa" in sport


def _split_words(name: str) -> list[str]:
    plain = APOSTROPHES_AND_DOTS.sub("", fold_text(name).translate(UNDECOMPOSED_LETTERS))
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", plain) if not FIRST_COMBINING_MARK <= c <= LAST_COMBINING_MARK
    )
    composed = unicodedata.normalize("NFC", bare)
    return "".join(c if unicodedata.category(c)[0] in WORD_CATEGORIES else " " for c in composed).split()


@cache
def _canonical_by_alias(sport: str) -> Mapping[str, str]:
    """The kept names by the comparable form of all the others, those of the longest section first."""
    names: dict[str, str] = {}
    for section in sorted(load_aliases(), key=len):
        if (section == COLLEGE and is_college_sport(sport)) or f"{sport}_".startswith(f"{section}_"):
            names |= {normalize_name(sport, other): name for name, other in iter_aliases(section)}
    return names


def iter_aliases(section: str) -> Iterator[tuple[str, str]]:
    """Pairs of the kept name and another one; of a college also with its mascot, as `teams.toml` says."""
    for name, aliases in load_aliases()[section].items():
        mascot = name.removeprefix(aliases[0]) if section == COLLEGE else ""
        for alias in aliases:
            yield name, alias
            if mascot:
                yield name, alias + mascot


@cache
def load_aliases() -> AliasTable:
    """What `teams.toml` says: the other names by the kept one, by section."""
    return tomllib.loads(files(__package__).joinpath("teams.toml").read_text(encoding="utf-8"))
