"""Events of another source find ours by names and start, or stay nobody's."""

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


def test_by_name_in_either_order() -> None:
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
def test_names_as_both_sources_write_them(sport: str, espn: str, feed: str) -> None:
    assert pairs([game(espn)], [game(feed)], sport) == [(0, 0)]


def test_a_doubleheader_is_told_by_the_starts() -> None:
    assert pairs(at(5.1, 0.2), at(0, 5)) == [(0, 1), (1, 0)]
    # one of the two only: the other gets nothing
    assert pairs(at(5.1), at(0, 5)) == [(0, 1)]
    # one that both of ours could be is neither, and the other one's nearest is still its own
    assert match_fixtures(MLB, "espn", at(2.4), at(0, 5)) == ([], frozenset({0}))
    assert pairs(at(0, 2.4), at(0, 5)) == [(0, 0), (1, 1)]


def test_both_games_an_hour_and_a_half_late_are_not_taken_for_each_other() -> None:
    """The first as it was played is nearer to the second as it was listed: only the whole day tells them apart."""
    assert match_fixtures(MLB, "espn", at(1.9, 5.4), at(0, 3.5)) == ([], frozenset({0, 1}))


def test_two_that_are_equally_near_are_nobodys() -> None:
    assert match_fixtures(MLB, "espn", at(1), at(0, 2)) == ([], frozenset({0}))
    assert match_fixtures(MLB, "espn", at(0, 0), at(0)) == ([], frozenset({0, 1}))


def test_strangers_and_other_days_are_no_matches() -> None:
    theirs = [game("Boston Red Sox"), *at(24, -13)]
    assert match_fixtures(MLB, "espn", theirs, at(0)) == ([], frozenset())
    assert match_fixtures(MLB, "espn", [], at(0)) == ([], frozenset())


def test_starts_may_differ_as_far_as_the_sport_and_the_source_allow() -> None:
    assert start_tolerance("soccer_spl", "espn") == start_tolerance(EPL, "odds-api") == timedelta(hours=36)
    assert pairs(at(26), at(0), EPL) == [(0, 0)]
    assert pairs(at(3), at(0), source="espn") == [(0, 0)]
    assert pairs(at(3), at(0), source="odds-api") == []


@pytest.mark.parametrize("name", ["", None, "???", "⚽", "  "])
def test_what_is_no_name_matches_nothing(name: str | None) -> None:
    assert pairs([game(name)], [game(name)]) == []
    assert pairs([game(name, name)], [game(name, name)]) == []


def test_one_team_on_both_sides_matches_nothing() -> None:
    twice = [game("Chicago Cubs", "chi. cubs")]
    assert pairs(twice, twice) == []


def test_two_matches_in_other_scripts_stay_two() -> None:
    greek, cyrillic = game("ΝΟΤΟΣ", "ΒΟΡΡΑΣ"), game("Запад", "Восток")
    assert match_fixtures(EPL, "odds-api", [greek], [cyrillic]) == ([], frozenset())
    assert pairs([greek], [cyrillic, game("Βορράς", "Νότος")], EPL) == [(0, 1)]


@given(fixtures, fixtures, st.sampled_from([MLB, EPL]))
def test_nobody_is_matched_twice_far_away_or_without_a_name(
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
def test_either_may_ask_the_other(theirs: list[Fixture], ours: list[Fixture], sport: str) -> None:
    there = match_fixtures(sport, "espn", theirs, ours).matches
    back = match_fixtures(sport, "espn", ours, theirs).matches
    assert there == sorted(FixtureMatch(m.our_index, m.their_index, m.is_swapped) for m in back)


@given(fixtures, fixtures, st.randoms(use_true_random=False))
def test_the_order_means_nothing(theirs: list[Fixture], ours: list[Fixture], dice: st.DrawFn) -> None:
    matches, ambiguous = match_fixtures(MLB, "espn", theirs, ours)
    theirs_order, ours_order = list(range(len(theirs))), list(range(len(ours)))
    dice.shuffle(theirs_order)  # type: ignore[attr-defined]
    dice.shuffle(ours_order)  # type: ignore[attr-defined]
    shuffled = match_fixtures(MLB, "espn", [theirs[i] for i in theirs_order], [ours[i] for i in ours_order])
    assert matches == sorted(
        (theirs_order[m.their_index], ours_order[m.our_index], m.is_swapped) for m in shuffled.matches
    )
    assert ambiguous == {theirs_order[i] for i in shuffled.ambiguous}
