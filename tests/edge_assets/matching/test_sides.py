"""Swapped sides are detected by team name."""

from __future__ import annotations

import pytest

from edge_assets.matching import are_sides_swapped
from edge_assets.matching.sides import Sides

EPL = "soccer_epl"
OURS = ("Manchester United", "Wolves")


@pytest.mark.parametrize(
    ("theirs", "swapped"),
    [
        (("Man Utd", "Wolverhampton Wanderers"), False),
        (("Wolverhampton", "Manchester Utd"), True),
        # one of the two was renamed: the other one decides
        (("Somebody", "Wolves"), False),
        (("Wolves", "Somebody"), True),
        (("Somebody", "Else"), None),
        (("Wolves", "Wolves"), None),
        (("???", "!!!"), None),
        ((None, None), False),
    ],
)
def test_sides_are_compared_by_name(theirs: Sides, swapped: bool | None) -> None:
    assert are_sides_swapped(EPL, OURS, theirs) is swapped


def test_names_without_letters_match_only_exactly() -> None:
    assert are_sides_swapped(EPL, ("???", "!!!"), ("???", "!!!")) is False
    assert are_sides_swapped(EPL, ("???", "!!!"), ("!!!", "???")) is None
