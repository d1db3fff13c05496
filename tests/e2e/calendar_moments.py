"""Runs the tests marked `calendar` at special moments, each in a fork: imports take longer than the tests.

`python -m tests.e2e.calendar_moments FOLDER`, with `tests/support/servers/clock.c` preloaded. The exit code is the
number of moments that failed.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.servers import clock

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
IGNORED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # plugins that are already imported
SELECTION = ("-m", "calendar", "-k", "not timescale and not community", "-p", "no:cacheprovider", "-q", *IGNORED)
IMPORTED_ONCE = ("dagster", "great_expectations", "pandas", "psycopg_pool", "serving.app")
"""Modules that are slow to import; none stores the time of its import."""


def marked_files() -> list[str]:
    """Files with marked tests: collecting all tests takes longer than running these."""
    return [str(path) for path in TESTS.rglob("test_*.py") if "pytest.mark.calendar" in path.read_text()]


def passes_at(moment: str, folder: str) -> bool:
    """Whether the marked tests pass at this moment."""
    now, zone = MOMENTS[moment]
    print(f"== {moment}: {now} in {zone}", flush=True)  # noqa: T201 - shown where a test fails
    child = os.fork()
    if not child:
        os.environ |= {clock.OFFSET: str(clock.seconds_until(now)), "TZ": zone}
        time.tzset()
        # separate folders: by this clock, those of other runs are old, and pytest deletes old ones
        status = pytest.main([f"--basetemp={folder}", *SELECTION, *marked_files()])
        sys.stdout.flush()
        os._exit(status)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    for module in IMPORTED_ONCE:
        importlib.import_module(module)
    sys.exit(sum(not passes_at(moment, f"{sys.argv[1]}/{i}") for i, moment in enumerate(MOMENTS)))
