"""dbt, run in this process.

A separate process spends seconds on imports before it reads the project, and every build runs dbt twice, before and
after pricing. Dagster has imported most of it anyway.
"""

from __future__ import annotations

import os
from functools import partial
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge_assets.private_interfaces.dbt_core import EventMsg, Manifest, dbtRunnerResult

PROJECT_DIR = Path(__file__).parents[2] / "dbt_project"
_RESULT_EVENTS = {"LogModelResult", "LogTestResult"}
"""The only events used, of thirty per node; converting all of them slows down a build."""
_SOURCE_PATTERNS = ("*.yml", "models/**/*", "tests/**/*", "macros/**/*")


class DbtError(RuntimeError):
    """A dbt command failed; the message names the failed nodes."""


class DbtRunner:
    """dbt commands on one database. The first command parses the project; `scratch` is dbt's target folder.

    dbt prints to stdout, which Dagster captures.
    """

    def __init__(self, database_url: str, scratch: Path) -> None:
        self._environment = connection_variables(database_url) | {"DBT_PROJECT_VERSION": compute_project_version()}
        self._options = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
        self._options += ["--target-path", str(scratch), "--log-level-file", "none", "--no-use-colors"]
        self._manifest: Manifest | None = None

    def run(self, *arguments: str) -> None:
        """Run a command to completion. Raises `DbtError`."""
        for _ in self.stream_results(*arguments):
            pass

    def stream_results(self, *arguments: str) -> Iterator[Mapping[str, Any]]:
        """dbt's structured result events, one for each model and test. Raises `DbtError` after the last.

        If iteration stops early, the command continues in a daemon thread.
        """
        from edge_assets.private_interfaces.dbt_core import dbtRunnerResult, msg_to_dict  # noqa: PLC0415 - slow to import

        events: SimpleQueue[EventMsg | dbtRunnerResult] = SimpleQueue()
        Thread(target=lambda: events.put(self._invoke(arguments, events)), daemon=True).start()
        while not isinstance(event := events.get(), dbtRunnerResult):
            yield msg_to_dict(event)
        _raise_on_failure(event)

    def _invoke(self, arguments: tuple[str, ...], events: SimpleQueue[Any]) -> dbtRunnerResult:
        from edge_assets.private_interfaces.dbt_core import copy_manifest, dbtRunner  # noqa: PLC0415 - as above

        os.environ.update(self._environment)  # profiles and macros can only read the environment
        if self._manifest is None:
            parsed = dbtRunner().invoke(["parse", "--quiet", "--no-write-json", *self._options])
            if not parsed.success:
                return parsed
            self._manifest = cast("Manifest", parsed.result)
        # writing a manifest takes a second, and only the documentation reads it
        write_options = [] if arguments[0] == "docs" else ["--no-write-json"]
        return dbtRunner(copy_manifest(self._manifest), [partial(_enqueue_result, events)]).invoke(
            [*arguments, *self._options, *write_options]
        )


def _enqueue_result(events: SimpleQueue[Any], event: EventMsg) -> None:
    if event.info.name in _RESULT_EVENTS:
        events.put(event)


def _raise_on_failure(invocation: dbtRunnerResult) -> None:
    if invocation.success:
        return
    results = getattr(invocation.result, "results", ())
    failed = [f"{r.node.name}: {r.message}" for r in results if r.status in {"error", "fail"}]
    raise DbtError("\n".join(failed) or str(invocation.exception)) from invocation.exception


def compute_project_version(directory: Path = PROJECT_DIR) -> str:
    """A digest of everything that models are built from: macros and variables change them too."""
    parts = (sha256(path.read_bytes()).digest() for path in sorted(find_project_files(directory)))
    return sha256(b"".join(parts)).hexdigest()[:16]


def find_project_files(directory: Path) -> Iterator[Path]:
    """The project's source files, without those that dbt generates."""
    return (path for pattern in _SOURCE_PATTERNS for path in directory.glob(pattern) if path.is_file())


def connection_variables(database_url: str) -> dict[str, str]:
    """The variables that `profiles.yml` reads; dbt scrubs the one with SECRET in its name from its logs."""
    parts = conninfo_to_dict(database_url)
    variable_by_part = {
        "host": "DBT_HOST",
        "port": "DBT_PORT",
        "user": "DBT_USER",
        "password": "DBT_ENV_SECRET_PASSWORD",
        "dbname": "DBT_DBNAME",
    }
    return {variable: str(parts[part]) for part, variable in variable_by_part.items() if parts.get(part)}
