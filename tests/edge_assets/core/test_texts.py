"""External text is made storable, idempotently, or rejected with a reason."""

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
def test_unstorable_characters_become_a_space(sent: str, kept: str) -> None:
    assert clean_text(sent) == kept


@pytest.mark.parametrize(
    ("sent", "reason"),
    [("", "text_empty"), ("\x00 \ud83d", "text_empty"), ("x" * (MAX_TEXT_LENGTH + 1), "text_too_long")],
)
def test_empty_and_overlong_text_is_rejected(sent: str, reason: str) -> None:
    with pytest.raises(UnusableTextError, match=reason):
        clean_text(sent)


@given(st.text(alphabet=st.characters(), max_size=400))
def test_cleaned_text_is_storable_and_cleaning_is_idempotent(sent: str) -> None:
    try:
        kept = clean_text(sent)
    except UnusableTextError:
        return
    kept.encode("utf-8")
    assert "\x00" not in kept
    assert clean_text(kept) == kept
    assert 0 < len(kept) <= MAX_TEXT_LENGTH
