"""Private interfaces of Dagster: jobs' types, its daemon, and the code servers' protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from dagster import DagsterRun
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
    from dagster._core.scheduler.instigation import InstigatorState

__all__ = ["InstigatorState", "UnresolvedAssetJobDefinition", "has_code_server", "run_daemon", "runs_in_code_server"]


def has_code_server(run: DagsterRun) -> bool:
    """Whether a code server launched the run."""
    return GRPC_INFO_TAG in run.tags


def runs_in_code_server(run: DagsterRun, timeout_seconds: int) -> bool:
    """Whether the code server that launched a run has its process. Raises whatever goes wrong.

    This is what Dagster's own launcher asks before it terminates a run.
    """
    server = json.loads(run.tags[GRPC_INFO_TAG])
    client = DagsterGrpcClient(
        port=server.get("port"),
        socket=server.get("socket"),
        host=server.get("host", "localhost"),
        use_ssl=bool(server.get("use_ssl", False)),
    )
    answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout_seconds)
    return deserialize_value(answer, CanCancelExecutionResult).can_cancel


def run_daemon() -> None:
    """What the command `dagster-daemon` does, in this process and with its arguments."""
    from dagster._daemon.cli import main  # noqa: PLC0415 - code servers need nothing of the daemon

    main()
