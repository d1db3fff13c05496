"""What a benchmark prints: its figures as they come, and a table of all of them at the end.

Output of the code that is measured stays captured; pytest shows it if a benchmark fails.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 300
"""More than any row needs: a table that wraps is hard to compare."""


@dataclass(frozen=True)
class Figure:
    """One measurement, and how it compares with something measured in the same run or with a target."""

    benchmark: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    to: str = ""

    @property
    def comparison(self) -> str:
        """The ratio and what it refers to, or the target alone."""
        return self.to if self.ratio is None else f"{format_number(self.ratio)} x {self.to}"

    def __str__(self) -> str:
        compared = f"   ({self.comparison})" if self.comparison else ""
        return f"  {self.name:<58} {format_number(self.value):>10} {self.unit}{compared}"


@dataclass
class Report:
    """The figures of a run, and where each is printed as soon as it is measured."""

    figures: list[Figure] = field(default_factory=list)
    write: Callable[[str], None] = print

    def note(self, text: str) -> None:
        """Print what the next figures were measured on."""
        self.write(f"{current_benchmark()}: {text}")

    def figure(self, name: str, value: float, unit: str, ratio: float | None = None, to: str = "") -> None:
        """Print a figure and keep it for the table. `ratio` is the figure in units of `to`."""
        figure = Figure(current_benchmark(), name, float(value), unit, None if ratio is None else float(ratio), to)
        self.figures.append(figure)
        self.write(str(figure))

    def rows(self) -> list[dict[str, object]]:
        """The figures for a file."""
        return [asdict(figure) for figure in self.figures]

    def table(self) -> str:
        """All figures in one table."""
        table = Table("benchmark", "figure", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("value", justify="right")
        table.add_column("unit")
        table.add_column("compared with")
        previous = ""
        for f in self.figures:
            benchmark, previous = "" if f.benchmark == previous else f.benchmark, f.benchmark
            cells = (benchmark, f.name, format_number(f.value), f.unit, f.comparison)
            table.add_row(*map(Text, cells))
        console = Console(width=WIDTH, color_system=None)
        with console.capture() as captured:
            console.print(table)
        return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines()) + "\n"


def format_number(value: float) -> str:
    """A number with three digits that count."""
    size = abs(value)
    if value == 0:
        return "0"
    if size < 0.001:
        return f"{value:.1e}"
    decimals = next(d for limit, d in ((1, 3), (10, 2), (100, 1), (float("inf"), 0)) if size < limit)
    return f"{value:,.{decimals}f}"


def current_benchmark() -> str:
    """The module and parameters of the benchmark that runs: `scoring::steps[24]`."""
    path, _, test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0].partition("::")
    return f"{path.rpartition('bench_')[2].removesuffix('.py')}::{test.removeprefix('test_')}"


REPORT = Report()
