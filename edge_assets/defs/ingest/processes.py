"""Whether the process of a run lives, as the code server says that started it: the one that knows before any import."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from dagster import DagsterRun

ANSWER_TIMEOUT_SECONDS = 3

log = logging.getLogger(__name__)


def has_process(run: DagsterRun) -> bool | None:
    """Whether the code server that launched a run has its process; None where there is none to ask.

    This is what Dagster's own launcher asks before it terminates a run. A server that was started anew knows none.
    """
    if GRPC_INFO_TAG not in run.tags:
        return None
    server = json.loads(run.tags[GRPC_INFO_TAG])
    client = DagsterGrpcClient(
        port=server.get("port"),
        socket=server.get("socket"),
        host=server.get("host", "localhost"),
        use_ssl=bool(server.get("use_ssl", False)),
    )
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), ANSWER_TIMEOUT_SECONDS)
        return deserialize_value(answer, CanCancelExecutionResult).can_cancel
    except Exception as error:  # whatever it is: not to know is no reason to plan nothing
        log.debug("the code server of run %s does not answer: %s", run.run_id, error)
        return None
