"""Small files, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_assets.importers.formats.source_units import ImportUnit
from ml.quotes import Market, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from edge_assets.importers.formats.batch import ParsedBatch, TimedQuotes

Seen = tuple[str, str, str, str, float | None, float | None]
"""Home team, book, market, outcome, point, price."""


def quotes_of(batch: ParsedBatch, timed: TimedQuotes, sellers: list[str]) -> dict[Seen, int]:
    """The moment of every quote, under readable names."""
    rows = zip(*(c.tolist() for c in timed.quotes.columns()[:-1]), timed.observed_at.tolist(), strict=True)
    return {
        (
            batch.events[event].home,
            sellers[book],
            Market(market).key,
            Outcome(outcome).key,
            None if np.isnan(point) else point,
            None if np.isnan(price) else price,
        ): at
        for event, book, market, outcome, point, price, at in rows
    }


def books(batch: ParsedBatch) -> list[str]:
    return [book.key for book in batch.books]


def folder(path: Path, files: dict[str, str], name: str) -> ImportUnit:
    """The files in a folder, as the part that they make."""
    path.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (path / file).write_text(text)
    return ImportUnit(name, path, tuple(path / file for file in files))
