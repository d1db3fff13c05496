"""Tests that depend on the calendar pass at special moments, with the servers' clocks set as well."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import absent
from tests.e2e import calendar_moments
from tests.support.servers import clock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.untraced
def test_calendar_tests_pass_at_special_moments(tmp_path: Path) -> None:
    if clock.COMPILER is None:
        absent("no C compiler to set the clock with")
    with clock.settable() as environment:
        command = [sys.executable, "-m", "tests.e2e.calendar_moments", str(tmp_path)]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert len(re.findall(r"\b\d+ passed", found.stdout)) == len(calendar_moments.MOMENTS)
