"""Invented seasons in football-data's format: six books around the truth, and results drawn from it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_assets.importers.importer import Importer, ImportReport
from edge_assets.quality.gate import GateReport, run_quality_gate
from edge_assets.reference.sources import Source

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

BOOKS = ("B365", "BW", "IW", "PS", "WH", "VC")
SELLERS = (*BOOKS, "Max", "Avg")
HEAD = ["Div", "Date", "HomeTeam", "AwayTeam", "FTHG", "FTAG", "FTR", *(f"{s}{o}" for s in SELLERS for o in "HDA")]
SCORES = {"H": ("2", "1"), "D": ("1", "1"), "A": ("0", "1")}
TEAMS = 20
Row = dict[str, str]


def season(seed: int = 0, year: int = 2023) -> list[Row]:
    """380 matches; the first is one of two equals, at about 1.85 for the home team."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.6, TEAMS)
    begins = date(year, 8, 5)
    return [_match(rng, n, begins, *pair, strength) for n, pair in enumerate(permutations(range(TEAMS), 2))]


def _match(rng: np.random.Generator, number: int, begins: date, home: int, away: int, strength: Any) -> Row:
    lead = 0.65 if number == 0 else 0.3 + strength[home] - strength[away]
    weight = np.exp([lead, -0.1, 0.0])
    fair = weight / weight.sum()
    margins = np.array([1.05, 1.06, 1.07, 1.025, 1.06, 1.05])
    prices = np.round(1 / (fair * margins[:, None] * np.exp(rng.normal(0, 0.01, (6, 3)))), 2).clip(1.01)
    rows = [*prices, prices.max(axis=0), np.round(prices.mean(axis=0), 2)]
    outcome = "HDA"[rng.choice(3, p=fair)]
    day = begins + timedelta(days=number // 2)
    texts = [f"{price:g}" for row in rows for price in row]
    teams = f"Town {home}", f"Town {away}"
    return dict(zip(HEAD, ["E0", f"{day:%d/%m/%Y}", *teams, *SCORES[outcome], outcome, *texts], strict=True))


def with_lines(rows: list[Row]) -> list[Row]:
    """With totals and handicaps of two books and the best of them: a home win has three goals, nobody wins by two."""
    rng = np.random.default_rng(7)
    return [row | _lines(rng, *_fair(row)) for row in rows]


def _fair(row: Row) -> Any:
    implied = 1 / np.array([float(row[f"Avg{outcome}"]) for outcome in "HDA"])
    return implied / implied.sum()


def _lines(rng: np.random.Generator, home: float, draw: float, away: float) -> Row:
    covers = home if home > away else home + draw
    found = {"AHh": "-0.5" if home > away else "0.5"}
    for names, chance in ((("{}>2.5", "{}<2.5"), home), (("{}AHH", "{}AHA"), covers)):
        fair = np.array([chance, 1 - chance])
        prices = np.round(1 / (fair * np.array([[1.05], [1.025]]) * np.exp(rng.normal(0, 0.008, (2, 2)))), 2)
        for seller, stated in zip(("B365", "P", "Max"), (*prices, prices.max(axis=0)), strict=True):
            found |= {name.format(seller): f"{price:g}" for name, price in zip(names, stated, strict=True)}
    return found


def swap_columns(rows: list[Row], first: str, second: str, every: int = 1) -> list[Row]:
    """Two columns, each under the name of the other, in some rows."""
    return [row if i % every else row | {first: row[second], second: row[first]} for i, row in enumerate(rows)]


def scale_columns(rows: list[Row], factor: float, *names: str) -> list[Row]:
    """Columns of prices, times a factor."""
    return [row | {name: f"{factor * float(row[name]):.2f}" for name in names} for row in rows]


def without(rows: list[Row], *sellers: str) -> list[Row]:
    """Without any price of some sellers."""
    return [{name: text for name, text in row.items() if not name.startswith(sellers)} for row in rows]


def shift_prices(rows: list[Row], by: int = 1) -> list[Row]:
    """Every price under the name of its neighbour, and no row of another width."""
    names = HEAD[7:]
    return [row | {n: row[names[i - by]] for i, n in enumerate(names)} for row in rows]


@dataclass
class SeasonHarness:
    """A database, and a folder for files."""

    url: str
    conn: Connection
    folder: Path

    def store(self, rows: list[Row], name: str = "E0.csv") -> ImportReport:
        """Import rows from a file."""
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            longest: Row = max(rows, key=len)
            writer.writerow(longest)
            writer.writerows(row.values() for row in rows)
        return self.load(self.folder / name)

    def load(self, *paths: Path) -> ImportReport:
        """Import files."""
        with Importer(self.url, "test") as importer:
            return importer.run(Source.FOOTBALL_DATA, paths)

    def gate(self, *, everything: bool = False) -> GateReport:
        """Pass the gate."""
        return run_quality_gate(self.conn, recheck_all=everything)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self.conn.execute(query).fetchall()


def failed_checks(report: GateReport) -> set[str]:
    """The checks on which findings are open."""
    return {check for finding in report.open_findings for check in finding.checks}


def rotate_columns(rows: list[Row], book: str = "WH") -> list[Row]:
    """A book's three columns, each under the name of its neighbour."""
    home, draw, away = (f"{book}{outcome}" for outcome in "HDA")
    return [row | {home: row[draw], draw: row[away], away: row[home]} for row in rows]


def drop_cells(rows: list[Row], every: int = 12) -> list[Row]:
    """Some rows lack a column, and so are shifted: 32 of a season."""
    return [{name: row[name] for name in HEAD if name != "BWD" or i % every} for i, row in enumerate(rows)]
