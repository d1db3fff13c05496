"""Regular files are parsed at once, others row by row, with the same result."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_assets.importers.formats.batch import RejectedFileError, Rejections
from edge_assets.importers.formats.tables import read_table
from ml.quotes import UNKNOWN_TIME

FIELDS = st.sampled_from(["", " ", "1", "-2.5", "+150", "x", "Malmö", '"a, b"', '"a ""b"""', "nan", "1e3"])
ROWS = st.lists(FIELDS, min_size=0, max_size=5).map(",".join)


@example(rows=[" , , "], end="\n", closed=True)
@example(rows=[",,", "x,,", "", "x,y,z"], end="\r\n", closed=False)
@given(rows=st.lists(ROWS, max_size=6), end=st.sampled_from(["\n", "\r\n", "\r"]), closed=st.booleans())
def test_rows_with_as_many_fields_as_the_header_are_kept_and_others_counted(
    rows: list[str], end: str, closed: bool
) -> None:
    rejections = Rejections()
    content = end.join(["a,b,c", *rows]) + end * closed
    table = read_table("file", content.encode(), ("a",), rejections)

    non_empty = [(line, next(csv.reader([row]))) for line, row in enumerate(rows, start=2) if row.strip(", ")]
    good = [(line, fields) for line, fields in non_empty if len(fields) >= 3 and not any(fields[3:])]
    assert table.lines.tolist() == [line for line, _ in good]
    for place, name in enumerate("abc"):
        assert table.texts(name) == [fields[place].strip() for _, fields in good]
    assert rejections.counts == ({"row_width": len(non_empty) - len(good)} if len(non_empty) > len(good) else {})


def test_blank_lines_before_the_header_are_ignored() -> None:
    rejections = Rejections()
    table = read_table("file", b"\xef\xbb\xbf\r\n,,\r\n \r\na,b\r\n1,2\r\n3\r\n", ("a",), rejections)
    assert (table.texts("b"), table.lines.tolist()) == (["2"], [5])
    assert [rejection.row for rejection in rejections.examples] == [6]


@given(st.lists(st.sampled_from(["", " ", "1", "-2.5", "+150", "x", "nan", " 7 "]), min_size=1, max_size=6))
def test_invalid_numbers_are_rejected_and_missing_ones_are_not(texts: list[str]) -> None:
    rejections = Rejections()
    table = read_table("file", "\n".join(["a,b", *(f"k,{text}" for text in texts)]).encode(), ("a",), rejections)
    numbers = {"1": 1.0, "-2.5": -2.5, "+150": 150.0, "7": 7.0}
    expected = [[numbers.get(text.strip(), np.nan), np.nan] for text in texts]
    np.testing.assert_array_equal(table.parse_numbers(["b", "no such column"]), expected)
    assert rejections.counts["number_malformed"] == sum(text in {"x", "nan"} for text in texts)


def test_a_file_without_rows_has_columns() -> None:
    table = read_table("file", b"a,b\n", ("a",), Rejections()).require_times(["b"])
    assert (len(table), table.texts("a"), table.count_filled("b"), table.parse_numbers(["a"]).shape) == (
        0,
        [],
        0,
        (0, 1),
    )


def test_times_are_microseconds_and_invalid_ones_are_rejected_with_their_line() -> None:
    rejections = Rejections()
    content = b"a,at\nx,1970-01-01T00:00:01.5Z\ny,1970-01-01T02:00:00+01:00\nz,\nu,noon\n"
    table = read_table("file", content, ("a", "at"), rejections)
    assert table.parse_times("at").tolist() == [1_500_000, 3_600_000_000, UNKNOWN_TIME, UNKNOWN_TIME]
    assert [str(rejection) for rejection in rejections.examples] == [
        "file, row 5, at: time_malformed ('noon': not a timestamp); fix the file, or fetch it again"
    ]
    assert table.require_times(["at"]).texts("a") == ["x", "y"]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "columns_missing"), (b"b\n1\n", "columns_missing"), (b"a,b,b\n", "column_twice")]
)
def test_invalid_headers_are_rejected(content: bytes, reason: str) -> None:
    with pytest.raises(RejectedFileError, match=reason):
        read_table("file", content, ("a",), Rejections())


@pytest.mark.parametrize(
    ("content", "texts", "reasons"),
    [
        (b"\xef\xbb\xbf\xef\xbb\xbfa,b\nx,1\n", ["x"], {}),
        (b"\xc3\xaf\xc2\xbb\xc2\xbfa,b\nx,1\n", ["x"], {}),
        ("a,b\nMalm\xf6,1\n".encode() + b"Malm\xf6,1\n", ["Malm\xf6", "Malm\xf6"], {}),
        (b"a,b\nx\0y,1\nx  z ,1\n", ["x y", "x z"], {}),
        (b"a,b\nx,1\na,b\ny,2\n", ["x", "y"], {"header_again": 1}),
        (b"a,b\nx,1\na,c\ny,2\n", ["x"], {"behind_another_header": 2}),
        (b"a,b\nx,1\na,b,c\ny,2\n", ["x"], {"behind_another_header": 2}),
        (b"a,b\nx,1\n" + b"y" * 200_000 + b",1\nz,1\n", ["x", "z"], {"row_too_long": 1}),
        (b'a,b\nx,1\n"' + b"y" * 200_000 + b'",1\nz,1\n', ["x", "z"], {"row_too_long": 1}),
        (b'a,b\n"x,1\ny,1\n', ["y"], {"row_width": 1}),
        (b"a,,b,,\nx,,1\n", ["x"], {}),
    ],
    ids=["mark twice", "mark as text", "both encodings", "NUL", "header again", "header of another order",
         "wider header", "long row", "long field", "open quote", "columns without a name"],
)  # fmt: skip
def test_damage_done_by_programs_is_tolerated(content: bytes, texts: list[str], reasons: dict[str, int]) -> None:
    rejections = Rejections()
    assert read_table("file", content, ("a", "b"), rejections).texts("a") == texts
    assert rejections.counts == reasons


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\nx,1\n".encode("utf-16"), "encoding_unknown"),
        ("a,b\nx,1\n".encode("utf-16-be"), "encoding_unknown"),
        (b"a;b\nx;1\n", "uses semicolons as separator"),
        (b"a\tb\nx\t1\n", "uses tabs as separator"),
        (b"a," + b"b" * 200_000, "row_too_long"),
    ],
)
def test_other_encodings_and_separators_are_reported(content: bytes, reason: str) -> None:
    with pytest.raises(RejectedFileError, match=reason):
        read_table("file", content, ("a", "b"), Rejections())


@pytest.mark.parametrize("text", ["inf", "-inf", "nan", "1e999", "9" * 5_001, "1_000", "1,9", "4/5", "0x1p4", "\u0661"])
def test_only_plain_decimal_numbers_are_accepted(text: str) -> None:
    rejections = Rejections()
    table = read_table("file", f'a,b\nx,"{text}"\ny,2\n'.encode(), ("a",), rejections)
    np.testing.assert_array_equal(table.parse_numbers(["b"])[:, 0], [np.nan, 2])
    assert rejections.counts == {"number_malformed": 1}
    assert len(str(rejections.examples[0])) < 400


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-05-02 15:00:00", 1_777_734_000_000_000),
        ("2026-05-02T17:00:00+02:00", 1_777_734_000_000_000),
        ("2026-05-02T15:00:00.000001Z", 1_777_734_000_000_001),
        ("1777734000", UNKNOWN_TIME),
        ("2026-05-02", UNKNOWN_TIME),
        ("0001-01-01T00:00:00+02:00", UNKNOWN_TIME),
        ("9999-12-31T23:59:59-02:00", UNKNOWN_TIME),
        ("2026-02-29T00:00:00Z", UNKNOWN_TIME),
        ("1" + "0" * 20, UNKNOWN_TIME),
    ],
)
def test_times_without_a_zone_are_utc_and_invalid_ones_unknown(text: str, at: int) -> None:
    assert read_table("file", f"a\n{text}\n".encode(), ("a",), Rejections()).parse_times("a").tolist() == [at]
