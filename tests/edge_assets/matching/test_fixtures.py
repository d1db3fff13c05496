"""Events of a source are matched with ours by team names and start, or stay unmatched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.matching import Fixture, FixtureMatch, match_fixtures
from edge_assets.matching.tolerances import start_tolerance

MLB, EPL = "baseball_mlb", "soccer_epl"
NOON = datetime(2025, 7, 4, 17, tzinfo=UTC)
NAMES = ("Chicago Cubs", "chi cubs", "St. Louis Cardinals", "St Louis Cardinals", "Cincinnati Reds", "???", "", None)


def game(home: str | None = "St. Louis Cardinals", away: str | None = "Chicago Cubs", hours: float = 0) -> Fixture:
    return Fixture(home, away, NOON + timedelta(hours=hours))


def at(*hours: float) -> list[Fixture]:
    return [game(hours=hour) for hour in hours]


def pairs(theirs: list[Fixture], ours: list[Fixture], sport: str = MLB, source: str = "espn") -> list[tuple[int, int]]:
    return [match[:2] for match in match_fixtures(sport, source, theirs, ours).matches]


fixtures = st.lists(
    st.builds(game, st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-30, 30).map(lambda half: half / 2)),
    max_size=6,
)


def test_teams_match_in_either_order() -> None:
    theirs = [game("St Louis Cardinals"), game("Chicago Cubs", "St Louis Cardinals", 30)]
    found = match_fixtures(MLB, "espn", theirs, at(0, 30.2))
    assert found == ([(0, 0, False), (1, 1, True)], frozenset())


@pytest.mark.parametrize(
    ("sport", "espn", "feed"),
    [
        ("icehockey_nhl", "Montreal Canadiens", "Montréal Canadiens"),
        ("soccer_fifa_world_cup", "Bosnia-Herzegovina", "Bosnia & Herzegovina"),
        ("soccer_fifa_world_cup", "Congo DR", "DR Congo"),
        ("soccer_fifa_world_cup", "United States", "USA"),
        ("soccer_epl", "AFC Bournemouth", "Bournemouth"),
        ("basketball_nba", "LA Clippers", "Los Angeles Clippers"),
    ],
)
def test_names_of_espn_match_those_of_the_feed(sport: str, espn: str, feed: str) -> None:
    assert pairs([game(espn)], [game(feed)], sport) == [(0, 0)]


def test_games_of_a_doubleheader_are_matched_by_start() -> None:
    assert pairs(at(5.1, 0.2), at(0, 5)) == [(0, 1), (1, 0)]
    # only one of the two: the other stays unmatched
    assert pairs(at(5.1), at(0, 5)) == [(0, 1)]
    # halfway between both stored games it is ambiguous, unless the other game claims the first
    assert match_fixtures(MLB, "espn", at(2.4), at(0, 5)) == ([], frozenset({0}))
    assert pairs(at(0, 2.4), at(0, 5)) == [(0, 0), (1, 1)]


def test_games_of_a_late_doubleheader_are_not_confused() -> None:
    """The first game as played is nearer to the second as listed, so neither is matched."""
    assert match_fixtures(MLB, "espn", at(1.9, 5.4), at(0, 3.5)) == ([], frozenset({0, 1}))


def test_equally_near_events_are_ambiguous() -> None:
    assert match_fixtures(MLB, "espn", at(1), at(0, 2)) == ([], frozenset({0}))
    assert match_fixtures(MLB, "espn", at(0, 0), at(0)) == ([], frozenset({0, 1}))


def test_other_teams_and_other_days_do_not_match() -> None:
    theirs = [game("Boston Red Sox"), *at(24, -13)]
    assert match_fixtures(MLB, "espn", theirs, at(0)) == ([], frozenset())
    assert match_fixtures(MLB, "espn", [], at(0)) == ([], frozenset())


def test_the_tolerance_depends_on_sport_and_source() -> None:
    assert start_tolerance("soccer_spl", "espn") == start_tolerance(EPL, "odds-api") == timedelta(hours=36)
    assert pairs(at(26), at(0), EPL) == [(0, 0)]
    assert pairs(at(3), at(0), source="espn") == [(0, 0)]
    assert pairs(at(3), at(0), source="odds-api") == []


@pytest.mark.parametrize("name", ["", None, "???", "⚽", "  "])
def test_unusable_names_match_nothing(name: str | None) -> None:
    assert pairs([game(name)], [game(name)]) == []
    assert pairs([game(name, name)], [game(name, name)]) == []


def test_the_same_team_on_both_sides_matches_nothing() -> None:
    twice = [game("Chicago Cubs", "chi. cubs")]
    assert pairs(twice, twice) == []


def test_names_in_different_scripts_do_not_match() -> None:
    greek, cyrillic = game("ΝΟΤΟΣ", "ΒΟΡΡΑΣ"), game("Запад", "Восток")
    assert match_fixtures(EPL, "odds-api", [greek], [cyrillic]) == ([], frozenset())
    assert pairs([greek], [cyrillic, game("Βορράς", "Νότος")], EPL) == [(0, 1)]


@given(fixtures, fixtures, st.sampled_from([MLB, EPL]))
def test_matches_are_unique_named_and_within_the_tolerance(
    theirs: list[Fixture], ours: list[Fixture], sport: str
) -> None:
    found = match_fixtures(sport, "espn", theirs, ours)
    matches = found.matches
    assert len({m.their_index for m in matches}) == len({m.our_index for m in matches}) == len(matches)
    assert not found.ambiguous & {m.their_index for m in matches}
    for match in matches:
        one, other = theirs[match.their_index], ours[match.our_index]
        assert abs(one.start - other.start) <= start_tolerance(sport, "espn")
        assert not {"???", "", None} & {*one[:2], *other[:2]}


@given(fixtures, fixtures, st.sampled_from([MLB, EPL]))
def test_matching_is_symmetric(theirs: list[Fixture], ours: list[Fixture], sport: str) -> None:
    there = match_fixtures(sport, "espn", theirs, ours).matches
    back = match_fixtures(sport, "espn", ours, theirs).matches
    assert there == sorted(FixtureMatch(m.our_index, m.their_index, m.is_swapped) for m in back)


@given(fixtures, fixtures, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(theirs: list[Fixture], ours: list[Fixture], dice: st.DrawFn) -> None:
    matches, ambiguous = match_fixtures(MLB, "espn", theirs, ours)
    theirs_order, ours_order = list(range(len(theirs))), list(range(len(ours)))
    dice.shuffle(theirs_order)  # type: ignore[attr-defined]
    dice.shuffle(ours_order)  # type: ignore[attr-defined]
    shuffled = match_fixtures(MLB, "espn", [theirs[i] for i in theirs_order], [ours[i] for i in ours_order])
    assert matches == sorted(
        (theirs_order[m.their_index], ours_order[m.our_index], m.is_swapped) for m in shuffled.matches
    )
    assert ambiguous == {theirs_order[i] for i in shuffled.ambiguous}
