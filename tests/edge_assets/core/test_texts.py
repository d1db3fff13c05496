"""Texts from outside come out storable, once, or are refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_assets.core.texts import MAX_TEXT_LENGTH, UnusableTextError, clean_text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Arsenal", "Arsenal"),
        (" Arsenal\u00a0FC ", "Arsenal FC"),
        ("Ars\x00enal", "Ars enal"),
        ("Bet \ud83d", "Bet"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("a\u2028b\x1b[2J", "a b [2J"),
    ],
)
def test_what_cannot_be_stored_or_shown_becomes_a_space(sent: str, kept: str) -> None:
    assert clean_text(sent) == kept


@pytest.mark.parametrize(
    ("sent", "reason"),
    [("", "text_empty"), ("\x00 \ud83d", "text_empty"), ("x" * (MAX_TEXT_LENGTH + 1), "text_too_long")],
)
def test_a_text_that_names_nothing_is_refused(sent: str, reason: str) -> None:
    with pytest.raises(UnusableTextError, match=reason):
        clean_text(sent)


@given(st.text(alphabet=st.characters(), max_size=400))
def test_whatever_is_kept_is_storable_and_stays_as_it_is(sent: str) -> None:
    try:
        kept = clean_text(sent)
    except UnusableTextError:
        return
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert clean_text(kept) == kept
    assert 0 < len(kept) <= MAX_TEXT_LENGTH
