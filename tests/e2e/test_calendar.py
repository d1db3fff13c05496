"""Tests that plan, forget or expire by the calendar pass at its odd moments, with the servers' clocks set as well."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.servers import clock

NEW_YORK = "America/New_York"
MOMENTS = {
    "the last minutes of a month": (datetime(2026, 11, 30, 23, 57, tzinfo=UTC), "UTC"),
    "new year": (datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC), "UTC"),
    "a leap day": (datetime(2028, 2, 29, 23, 57, tzinfo=UTC), "UTC"),
    "the hour that is skipped": (datetime(2027, 3, 14, 6, 58, tzinfo=UTC), NEW_YORK),
    "the hour that comes twice, first": (datetime(2027, 11, 7, 5, 30, tzinfo=UTC), NEW_YORK),
    "the hour that comes twice, again": (datetime(2027, 11, 7, 6, 30, tzinfo=UTC), NEW_YORK),
}
TESTS = Path(__file__).parents[1]
# chroots of TimescaleDB do not see the library that sets the clock
SELECTION = ("-m", "calendar", "-k", "not timescale and not community", "-p", "no:cacheprovider", "-q")


def marked_files() -> list[str]:
    """Collecting all tests takes longer than running the marked ones."""
    return [str(path) for path in TESTS.rglob("test_*.py") if "pytest.mark.calendar" in path.read_text()]


@pytest.mark.untraced
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_calendar_changes_nothing(moment: str, tmp_path: Path) -> None:
    if clock.COMPILER is None:
        absent("no C compiler to set the clock with")
    now, zone = MOMENTS[moment]
    with clock.set_to(now, zone) as environment:
        # a folder of its own: pytest takes the folders of other runs, old by this clock, for abandoned and deletes them
        command = [sys.executable, "-m", "pytest", f"--basetemp={tmp_path / 'run'}", *SELECTION, *marked_files()]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert " passed" in found.stdout.splitlines()[-1]
