"""`python -m edge_assets.local.watchdog`: under the supervisor, whose environment names home, database and Redis."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edge_assets.local.home import Home
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog.counterpart import write_heartbeat
from edge_assets.local.watchdog.duties import WatchedPorts
from edge_assets.local.watchdog.notes import FindingReporter
from edge_assets.local.watchdog.rounds import Endpoints, Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_BETWEEN_ROUNDS = 5.0
MAX_ROUND_SECONDS = 45.0
"""No server that stops in the middle of an answer holds a round for longer; a restart takes up to 40 s."""
SECONDS_BETWEEN_ALARMS = 10.0
"""Should one be lost in code that may not be interrupted; longer than a pause, which none may interrupt."""

log = logging.getLogger("edge_assets.local.watchdog")


class RoundTooLongError(BaseException):
    """Raised by a clock in the midst of whatever goes on. No `Exception`: nobody there may take it for a fault."""


def main() -> None:
    """Make rounds until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(description="Looks after the services of a local stack.")
    for name in WatchedPorts._fields:
        parser.add_argument(f"--{name}-port", dest=name, type=int)
    arguments = parser.parse_args()
    home = Home(Path(os.environ["EDGE_HOME"]))
    endpoints = Endpoints(
        os.environ["DATABASE_URL"],
        _without_driver(os.environ.get("DAGSTER_POSTGRES_URL")),
        os.environ["REDIS_URL"],
        WatchedPorts(**vars(arguments)),
    )
    watchdog = Watchdog(home, Supervisor(home), endpoints, FindingReporter(home))
    while True:
        with time_limit(MAX_ROUND_SECONDS):
            watchdog.run_round()
        write_heartbeat(home)
        time.sleep(SECONDS_BETWEEN_ROUNDS)


def _without_driver(url: str | None) -> str | None:
    """Dagster's URL without SQLAlchemy's name of the driver."""
    return url and url.replace("postgresql+psycopg2://", "postgresql://", 1)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Go on with the next round if this one takes longer."""

    def raise_timeout(*_: object) -> NoReturn:
        raise RoundTooLongError

    signal.signal(signal.SIGALRM, raise_timeout)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, SECONDS_BETWEEN_ALARMS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except RoundTooLongError:
        log.warning("a round took longer than %.0f s", seconds)


if __name__ == "__main__":
    main()
