"""The import formats and their readers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_assets.importers.formats import football_data, nfl_bmr, odds_ticks, pinnacle_mlb
from edge_assets.importers.formats.source_units import (
    ImportUnit,
    find_file_units,
    find_folder_units,
    find_path_units,
    read_unpacked,
)
from edge_assets.reference.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_assets.importers.formats.batch import ParseResult


@dataclass(frozen=True, slots=True)
class Format:
    """How paths are split into units and a unit is read; captures (`read` is None) go through the differ instead."""

    find_units: Callable[[Sequence[Path]], list[ImportUnit]]
    read: Callable[[ImportUnit], ParseResult] | None


def _read_file(read: Callable[[str, bytes], ParseResult], unit: ImportUnit) -> ParseResult:
    return read(unit.name, read_unpacked(unit.files[0]))


FORMATS = {
    Source.FOOTBALL_DATA: Format(find_file_units, partial(_read_file, football_data.read)),
    Source.ODDS_API: Format(find_path_units, None),
    Source.ODDS_TICKS: Format(
        partial(find_folder_units, main=odds_ticks.MAIN_FILE, others=odds_ticks.OTHER_FILES), odds_ticks.read
    ),
    Source.PINNACLE_MLB: Format(
        partial(find_folder_units, main=pinnacle_mlb.MAIN_FILE, others=pinnacle_mlb.OTHER_FILES), pinnacle_mlb.read
    ),
    Source.NFL_BMR: Format(find_file_units, partial(_read_file, nfl_bmr.read)),
}
