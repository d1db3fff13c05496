"""Arrays arrive as what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from edge_assets.core.clock import to_micros
from edge_assets.store.postgres import array_params
from edge_assets.store.postgres.database import connect

if TYPE_CHECKING:
    from edge_assets.store.postgres.array_params import ArrayParameter

NOON = datetime(1999, 12, 31, 12, tzinfo=UTC)
AWKWARD = ["", "São {Paulo}", '"NULL"', "a,b\\c\n"]


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("int2", array_params.encode_numbers([-1, 32767], "i2"), [-1, 32767]),
        ("int4", array_params.encode_numbers([-1, 1 << 30], "i4"), [-1, 1 << 30]),
        ("int8", array_params.encode_numbers([1 << 60], "i8"), [1 << 60]),
        ("float4", array_params.encode_numbers([-0.25], "f4"), [-0.25]),
        ("float8", array_params.encode_numbers([1.9], "f8"), [1.9]),
        ("bool", array_params.encode_numbers([True, False], "?"), [True, False]),
        ("timestamptz", array_params.encode_timestamps([to_micros(NOON)]), [NOON]),
        ("text", array_params.encode_texts(AWKWARD), AWKWARD),
        ("bytea", array_params.encode_bytes([b"", b"\x00\xff"]), [b"", b"\x00\xff"]),
        ("text", array_params.encode_texts(["a", "", "a"]), ["a", "", "a"]),
        ("text", array_params.encode_texts([]), []),
        ("int4", array_params.encode_numbers([], "i4"), []),
    ],
)
def test_arrays_arrive_as_sent(database_url: str, kind: str, sent: ArrayParameter, expected: list[Any]) -> None:
    with connect(database_url, "test") as conn:
        # the seventh of a statement is prepared
        assert [conn.execute(f"SELECT %s::{kind}[]", [sent]).fetchone() for _ in range(7)] == [(expected,)] * 7


@pytest.mark.parametrize("number", [32_768, -32_769, 99_999])
def test_a_number_that_does_not_fit_is_none_and_never_another_one(number: int) -> None:
    with pytest.raises(OverflowError, match="do not fit into i2"):
        array_params.encode_numbers([1, number], "i2")
