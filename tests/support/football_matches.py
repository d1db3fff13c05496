"""Matches of football-data.co.uk read straight from its files, with what is odd about them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

OUTCOMES = "HDA"
SHARP, SHARP_CLOSE = (["PSH", "PSD", "PSA"], ["PSCH", "PSCD", "PSCA"])
BEST = (["MaxH", "MaxD", "MaxA"], ["BbMxH", "BbMxD", "BbMxA"])
"""The best price's columns; until 2018/19 they bore the name of BetBrain, which collected them."""

NO_PRICE = "-"
"""Stands in one field of all, a closing price."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """1X2 prices (m, 3) home, draw, away, NaN where there is none; `result` (m,) indexes the outcomes."""

    date: NDArray[np.datetime64]
    result: NDArray[np.intp]
    best: Array
    sharp: Array
    sharp_close: Array


def read_matches(folder: Path) -> Matches:
    """Every match with a result of the files `{season}/{division}.csv`."""
    rows = read_rows(folder)
    return Matches(
        date=np.array([_date(row["Date"]) for row in rows], "datetime64[D]"),
        result=np.array([OUTCOMES.index(row["FTR"]) for row in rows]),
        best=prices(rows, *BEST),
        sharp=prices(rows, SHARP),
        sharp_close=prices(rows, SHARP_CLOSE),
    )


def read_rows(folder: Path, seasons: str = "*") -> list[dict[str, str]]:
    """The fields by name of every match with a result of the seasons whose folders match the pattern."""
    return [
        row
        for path in sorted(folder.glob(f"{seasons}/*.csv"))
        for row in _rows(path)
        if row.get("FTR", "") in set(OUTCOMES)
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    header, *rows = csv.reader(_text(path.read_bytes()).splitlines())
    width = len(header)
    for row in filter(any, rows):
        # a row that is wider has lost a quote or a name somewhere, unless what is too much is empty
        if len(row) < width or any(row[width:]):
            msg = f"{path}: {len(row)} fields under {width} names, so the columns are shifted: {row[:5]}"
            raise ValueError(msg)
        yield {name: field.strip() for name, field in zip(header, row, strict=False) if name}


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _date(text: str) -> datetime:
    """Dates have a year of two digits or of four."""
    return datetime.strptime(text, "%d/%m/%y" if len(text) == len("31/12/99") else "%d/%m/%Y")


def prices(rows: list[dict[str, str]], *names: list[str]) -> Array:
    """The prices under the first of the `names` that the match's file has; NaN for what nobody can bet at."""
    fields = np.array([[row.get(name) or "nan" for name in _present(row, names)] for row in rows])
    numbers = np.where(fields == NO_PRICE, "nan", fields).astype(np.float64)
    return np.where(numbers > 1, numbers, np.nan)


def _present(row: dict[str, str], names: tuple[list[str], ...]) -> list[str]:
    return next((each for each in names if each[0] in row), names[0])
