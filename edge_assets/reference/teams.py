"""Team names by sport: the canonical name, and the key by which names are compared.

`teams.toml` lists aliases that no rule finds: `Man United` is `Manchester United`, `L.A. Rams` the `Los Angeles Rams`.
Names in other scripts are not transliterated: transliterations differ between sources, and a wrong one would merge two
teams, whereas a missed match only keeps two sources apart.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from edge_assets.core.texts import fold_text
from edge_assets.reference.sports import sport_family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLUB_ABBREVIATIONS = frozenset(
    {"afc", "ac", "as", "bk", "cf", "fc", "fk", "if", "sc", "sk", "ssc", "sv", "tsg", "ud", "vfb", "vfl"}
)
"""Ignored when names of soccer clubs are compared, unless nothing else is left."""
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
"""Letters that Unicode does not decompose, and how ASCII-only sources write them."""
APOSTROPHES_AND_DOTS = re.compile("['\u2018\u2019\u02bb\u02bc`\u00b4.]")
FIRST_COMBINING_MARK, LAST_COMBINING_MARK = "\u0300", "\u036f"
"""Combining marks of Latin, Greek and Cyrillic letters; those of other scripts distinguish words."""
WORD_CATEGORIES = frozenset("LMN")
"""Letters, their marks and digits, by the first letter of the Unicode category."""
SOCCER, COLLEGE = "soccer", "college"
AliasTable = dict[str, dict[str, list[str]]]


@lru_cache(maxsize=65_536)
def canonical_name(sport: str, name: str) -> str:
    """The canonical name of a team; an unknown name only has its white space collapsed."""
    return _canonical_by_alias(sport).get(normalize_name(sport, name), " ".join(name.split()))


@lru_cache(maxsize=65_536)
def normalize_name(sport: str, name: str) -> str:
    """Reduce a name to the parts that distinguish teams; may be empty, and then matches no team."""
    words = _split_words(name)
    if sport_family(sport) == SOCCER:
        words = ["united" if word == "utd" else word for word in words]
        words = [word for word in words if word not in CLUB_ABBREVIATIONS] or words
    if is_college_sport(sport):
        words = words[:1] + ["state" if word == "st" else word for word in words[1:]]
    return "".join("st" if word == "saint" else word for word in words)


@lru_cache(maxsize=65_536)
def team_key(sport: str, name: str) -> str:
    """The same key for all names of a team, distinct within its league; empty for a name without letters."""
    return normalize_name(sport, canonical_name(sport, name))


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
    """Canonical names by normalized alias; the most specific section wins."""
    names: dict[str, str] = {}
    for section in sorted(load_aliases(), key=len):
        if (section == COLLEGE and is_college_sport(sport)) or f"{sport}_".startswith(f"{section}_"):
            names |= {normalize_name(sport, other): name for name, other in iter_aliases(section)}
    return names


def iter_aliases(section: str) -> Iterator[tuple[str, str]]:
    """Pairs of canonical name and alias; for colleges also the alias with the mascot, as `teams.toml` describes."""
    for name, aliases in load_aliases()[section].items():
        mascot = name.removeprefix(aliases[0]) if section == COLLEGE else ""
        for alias in aliases:
            yield name, alias
            if mascot:
                yield name, alias + mascot


@cache
def load_aliases() -> AliasTable:
    """The content of `teams.toml`: aliases by canonical name, by section."""
    return tomllib.loads(files(__package__).joinpath("teams.toml").read_text(encoding="utf-8"))
