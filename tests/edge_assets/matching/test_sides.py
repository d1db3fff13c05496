"""Sides that are exchanged are found by the names of the teams."""

from __future__ import annotations

import pytest

from edge_assets.matching import are_sides_swapped
from edge_assets.matching.sides import Sides

EPL = "soccer_epl"
OURS = ("Manchester United", "Wolves")


@pytest.mark.parametrize(
    ("theirs", "exchanged"),
    [
        (("Man Utd", "Wolverhampton Wanderers"), False),
        (("Wolverhampton", "Manchester Utd"), True),
        # one of the two was renamed: the other one tells
        (("Somebody", "Wolves"), False),
        (("Wolves", "Somebody"), True),
        (("Somebody", "Else"), None),
        (("Wolves", "Wolves"), None),
        (("???", "!!!"), None),
        ((None, None), False),
    ],
)
def test_sides_are_told_by_name(theirs: Sides, exchanged: bool | None) -> None:
    assert are_sides_swapped(EPL, OURS, theirs) is exchanged


def test_what_has_no_letters_is_the_same_only_to_the_letter() -> None:
    assert are_sides_swapped(EPL, ("???", "!!!"), ("???", "!!!")) is False
    assert are_sides_swapped(EPL, ("???", "!!!"), ("!!!", "???")) is None
