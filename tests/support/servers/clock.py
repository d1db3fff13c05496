"""Another time of day for a process and all that it starts, servers included."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

SOURCE = Path(__file__).with_suffix(".c")
COMPILER = shutil.which("cc")


OFFSET = "EDGE_CLOCK_OFFSET_SECONDS"
"""Read whenever the time is asked for, so that a process can set its own clock."""


def seconds_until(moment: datetime) -> int:
    """What to set `OFFSET` to, for it to be `moment` now."""
    return int(moment.timestamp() - time.time())


@contextmanager
def settable() -> Iterator[Mapping[str, str]]:
    """The environment in which `OFFSET` sets the clock; needs a C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        library = f"{folder}/clock.so"
        subprocess.run([str(COMPILER), "-O2", "-shared", "-fPIC", "-o", library, str(SOURCE)], check=True)
        Path(folder).chmod(0o755)  # PostgreSQL runs as a user of its own
        yield {**os.environ, "LD_PRELOAD": library}
