from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.odds import OddsFormat, format_odds, parse_odds, to_fraction

DECIMAL, AMERICAN, FRACTIONAL, HONG_KONG, MALAY, INDONESIAN, PROBABILITY = OddsFormat


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (2.5, ["2.50", "+150", "3/2", "1.50", "-0.67", "+1.50", "40.00%"]),
        (1 + 100 / 110, ["1.91", "-110", "10/11", "0.91", "+0.91", "-1.10", "52.38%"]),
        (2.0, ["2.00", "+100", "1/1", "1.00", "+1.00", "+1.00", "50.00%"]),
        (1.01, ["1.010", "-10000", "1/100", "0.010", "+0.010", "-100.00", "99.01%"]),
        (501.0, ["501.00", "+50000", "500/1", "500.00", "-0.0020", "+500.00", "0.20%"]),
    ],
)
def test_as_books_show_them(price: float, shown: list[str]) -> None:
    assert [format_odds(price, written) for written in OddsFormat] == shown


@pytest.mark.parametrize(
    ("text", "written", "price"),
    [
        ("5/2", FRACTIONAL, 3.5),
        (" 5-2 ", FRACTIONAL, 3.5),
        ("100 / 30", FRACTIONAL, 13 / 3),
        ("Evens", FRACTIONAL, 2.0),
        ("EV", AMERICAN, 2.0),
        ("+150", AMERICAN, 2.5),
        ("150", AMERICAN, 2.5),
        ("\N{MINUS SIGN}200", AMERICAN, 1.5),
        ("40%", PROBABILITY, 2.5),
        (".4", PROBABILITY, 2.5),
        ("-0.8", MALAY, 2.25),
        ("2.25", DECIMAL, 2.25),
    ],
)
def test_as_bettors_type_them(text: str, written: OddsFormat, price: float) -> None:
    assert parse_odds(text, written) == pytest.approx(price, rel=1e-15)


@pytest.mark.parametrize("written", list(OddsFormat))
@given(price=st.floats(1.02, 5000))
def test_shown_odds_are_read_back_up_to_rounding(written: OddsFormat, price: float) -> None:
    back = parse_odds(format_odds(price, written), written)
    assert back - 1 == pytest.approx(price - 1, rel=0.06)


@given(st.fractions(Fraction(1, 100), 1000, max_denominator=100))
def test_fractions_come_back_exactly(odds: Fraction) -> None:
    assert to_fraction(float(1 + odds)) == odds
    assert parse_odds(f"{odds.numerator}/{odds.denominator}", FRACTIONAL) == pytest.approx(float(1 + odds), rel=1e-15)


def test_a_ladder_may_be_coarser() -> None:
    assert to_fraction(1 + 10 / 11, max_denominator=5) == 1


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("5/0", FRACTIONAL),
        ("5", FRACTIONAL),
        ("-5/2", FRACTIONAL),
        ("1e999999999", FRACTIONAL),
        ("", DECIMAL),
        ("nan", DECIMAL),
        ("2,5", DECIMAL),
        ("40%", AMERICAN),
        ("%", PROBABILITY),
    ],
)
def test_text_that_is_not_a_number_is_refused(text: str, written: OddsFormat) -> None:
    with pytest.raises(ValueError, match=f"not valid {written} odds: "):
        parse_odds(text, written)


def test_numbers_that_are_not_odds_are_refused_by_their_format() -> None:
    with pytest.raises(ValueError, match=r"american odds must be at most -100 or at least [+]100, got 50"):
        parse_odds("+50", AMERICAN)
    with pytest.raises(ValueError, match="fractional odds must be finite and above 0"):
        parse_odds("0/5", FRACTIONAL)
    with pytest.raises(ValueError, match="below any fraction with a denominator of at most 100"):
        to_fraction(1.001)
