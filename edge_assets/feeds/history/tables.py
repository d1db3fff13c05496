"""CSV files as they come: of either encoding, with ragged rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from edge_assets.feeds.history.batch import Refusal, RefusedFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_assets.feeds.history.batch import Refusals

FETCH = "put it right, or fetch the file again"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of a file that are as wide as its header; `lines` (n,) are theirs in the file.

    `numeric` (n, k) are the columns of numbers, `places` says which: pandas takes as long for one of them as for all.
    """

    file: str
    header: tuple[str, ...]
    frame: pd.DataFrame
    lines: NDArray[np.int64]
    refused: Refusals
    numeric: NDArray[np.float64]
    places: dict[str, int]

    def __len__(self) -> int:
        return len(self.lines)

    def texts(self, name: str) -> list[str]:
        """A column as stripped text; empty where the file has no such column."""
        if name not in self.frame:
            return [""] * len(self)
        # a missing one is the only one that is not itself
        return [str(text).strip() if text == text else "" for text in self.frame[name].tolist()]  # noqa: PLR0124

    def numbers(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Columns as numbers (n, k), NaN where there is none; what is none is refused."""
        values = np.full((len(self), len(names)), np.nan)
        plain = [i for i, name in enumerate(names) if name in self.places]
        values[:, plain] = self.numeric[:, [self.places[names[i]] for i in plain]]
        for i, name in enumerate(names):
            if name in self.frame and name not in self.places:
                values[:, i] = self._number(name)
        return values

    def names(self, column: str) -> list[str]:
        """A column that names the rows, as `texts`.

        Raises:
            RefusedFileError: two rows have one name.
        """
        texts = self.texts(column)
        if twice := [name for name, n in Counter(texts).items() if n > 1]:
            shown = ", ".join(twice[:3])
            raise RefusedFileError(Refusal(self.file, "row_twice", shown, "remove one of the two", field=column))
        return texts

    def refuse(self, reason: str, names: Sequence[str], where: NDArray[np.bool_], why: str) -> None:
        """Count the fields (n, k) of columns that are not used."""
        for row, i in np.argwhere(where).tolist():
            found = str(self.frame[names[i]].iloc[row]) if names[i] in self.frame else ""
            line = int(self.lines[row])
            self.refused.add(Refusal(self.file, reason, f"{found!r}: {why}", FETCH, row=line, field=names[i]))

    def refuse_row(self, row: int, reason: str, name: str, detail: str) -> None:
        """Count a row that is not used."""
        self.refused.add(Refusal(self.file, reason, detail, FETCH, row=int(self.lines[row]), field=name))

    def _number(self, name: str) -> NDArray[np.float64]:
        column = self.frame[name]
        numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        absent = column.isna().to_numpy() | (column.astype("str").str.strip() == "").to_numpy()
        self.refuse("number_malformed", [name], (np.isnan(numbers) & ~absent)[:, None], "it is no number")
        return numbers


def read_table(
    file: str, content: bytes, required: Collection[str], refused: Refusals, texts: Collection[str] = ()
) -> Table:
    """The rows that are as wide as the header; empty rows and empty fields behind the last name do not count.

    A row of another width has lost or gained a field somewhere, and everything behind it means something else.
    Columns other than `required` and `texts` become numbers as far as they are.

    Raises:
        RefusedFileError: there is no header, or it lacks a required name or has one twice.
    """
    head, *body = _text(content).splitlines() or [""]
    header = _header(file, next(csv.reader([head]), []), required)
    kept, lines = [], []
    for line, row in _rows(body):
        fitting = _fitted(row, len(header))
        if fitting is not None:
            kept.append(fitting)
            lines.append(line)
        else:
            refused.add(_width(file, line, row, len(header)))
    frame = pd.read_csv(
        io.StringIO("\n".join(kept)),
        names=list(header),
        header=None,
        keep_default_na=False,
        na_values=[""],
        dtype=dict.fromkeys({*required, *texts} & set(header), object),
        low_memory=False,
    )
    numbers = frame.select_dtypes("number")
    places = {str(name): place for place, name in enumerate(numbers)}
    return Table(file, header, frame, np.array(lines, np.int64), refused, numbers.to_numpy(np.float64), places)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(body: list[str]) -> Iterator[tuple[int, str]]:
    return ((line, row) for line, row in enumerate(body, start=2) if row.strip(", \t"))


def _fitted(row: str, width: int) -> str | None:
    """The row with as many fields as the header has names; None if it has more, or fewer."""
    if '"' not in row and row.count(",") == width - 1:
        return row
    fields = next(csv.reader([row]))
    if len(fields) < width or any(fields[width:]):
        return None
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[:width])
    return text.getvalue()


def _width(file: str, line: int, row: str, width: int) -> Refusal:
    return Refusal(file, "row_width", f"{len(next(csv.reader([row])))} fields under {width} names", FETCH, row=line)


def _header(file: str, names: list[str], required: Collection[str]) -> tuple[str, ...]:
    header = [name.strip() for name in names]
    while header and not header[-1]:
        header.pop()
    if missing := [name for name in required if name not in header]:
        remedy = "give a file of this format, with its header"
        raise RefusedFileError(Refusal(file, "columns_missing", ", ".join(missing), remedy, row=1))
    if twice := {name for name in header if header.count(name) > 1}:
        remedy = "rename or remove one of the two"
        raise RefusedFileError(Refusal(file, "column_twice", ", ".join(sorted(twice)), remedy, row=1))
    return tuple(header)
