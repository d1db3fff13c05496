"""Whether a run's process is alive, according to the code server that started it, which knows before any import."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from edge_assets.private_interfaces.dagster_core import has_code_server, runs_in_code_server

if TYPE_CHECKING:
    from dagster import DagsterRun

ANSWER_TIMEOUT_SECONDS = 3

log = logging.getLogger(__name__)


def has_process(run: DagsterRun) -> bool | None:
    """Whether the code server that launched a run has its process; None if there is no server to ask.

    A server that has been restarted knows no process.
    """
    if not has_code_server(run):
        return None
    try:
        return runs_in_code_server(run, ANSWER_TIMEOUT_SECONDS)
    except Exception as error:  # of any kind: planning goes on without an answer
        log.debug("the code server of run %s does not answer: %s", run.run_id, error)
        return None
