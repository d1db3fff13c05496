"""The sports as data: one entry is all that a new one needs."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from edge_assets.reference import sports


def test_every_sport_belongs_to_a_family() -> None:
    families = sports._load_sports_file().families
    assert {sports.sport_family(key) for key in sports.load_known_sports()} == families.keys()


def test_names_are_unique() -> None:
    known = sports.load_known_sports().values()
    for names in (
        [alias for sport in known for alias in sport.aliases],
        [sport.espn for sport in known if sport.espn],
        [sport.football_data for sport in known if sport.football_data],
    ):
        assert [name for name, n in Counter(names).items() if n > 1] == []


def test_an_alias_is_not_a_key() -> None:
    assert sports.SPORT_ALIASES.keys().isdisjoint(sports.load_known_sports())


def test_an_unknown_sport_has_the_defaults() -> None:
    assert sports.find_sport("curling_worlds") == sports.SportProfile()
    assert sports.find_family("curling_worlds") == sports.FamilyProfile()
    assert sports.family_title("curling_worlds") == "Curling"
    assert sports.family_title("icehockey_nhl") == "Ice Hockey"


def test_a_misspelt_field_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `espm`"):
        msgspec.toml.decode('[families]\n[sports]\nsoccer_epl = {espm = "soccer/eng.1"}\n', type=sports._SportsFile)
