"""`python -m edge_assets.local.watchdog`: run by supervisord; home, database and Redis are in the environment."""

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
from edge_assets.local.sockets import socket_path
from edge_assets.local.supervisor import Supervisor
from edge_assets.local.watchdog.issue_reporter import IssueReporter
from edge_assets.local.watchdog.mutual_watch import write_heartbeat
from edge_assets.local.watchdog.rounds import Endpoints, Watchdog
from edge_assets.local.watchdog.services import WatchedPorts

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_BETWEEN_ROUNDS = 5.0
MAX_ROUND_SECONDS = 45.0
"""Limits a round if a server stops in the middle of a response; a restart takes up to 40 s."""
SECONDS_BETWEEN_ALARMS = 10.0
"""Repeats an alarm lost in code that ignores it; longer than the pause between rounds, which no alarm may interrupt."""

log = logging.getLogger("edge_assets.local.watchdog")


class RoundTooLongError(BaseException):
    """Raised by a timer in arbitrary code. Not an `Exception`, so that no handler there catches it."""


def main() -> None:
    """Run rounds until terminated."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(description="Watches the services of a local stack and restarts those that hang.")
    for name in WatchedPorts._fields:
        parser.add_argument(f"--{name.replace('_', '-')}-port", dest=name, type=int)
    parser.add_argument("--code-server", dest="code_servers", action="append", default=[])
    arguments = vars(parser.parse_args())
    home = Home(Path(os.environ["EDGE_HOME"]))
    code_servers = {name: socket_path(home, name) for name in arguments.pop("code_servers")}
    endpoints = Endpoints(
        os.environ["DATABASE_URL"],
        _without_driver(os.environ.get("DAGSTER_POSTGRES_URL")),
        os.environ["REDIS_URL"],
        WatchedPorts(**arguments),
        code_servers,
    )
    watchdog = Watchdog(home, Supervisor(home), endpoints, IssueReporter(home))
    while True:
        with time_limit(MAX_ROUND_SECONDS):
            watchdog.run_round()
        write_heartbeat(home)
        time.sleep(SECONDS_BETWEEN_ROUNDS)


def _without_driver(url: str | None) -> str | None:
    """Dagster's URL without SQLAlchemy's driver name."""
    return url and url.replace("postgresql+psycopg2://", "postgresql://", 1)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Abort the block after `seconds`."""

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
