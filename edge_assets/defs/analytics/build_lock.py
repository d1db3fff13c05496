"""The lock on building the warehouse: a run waits for the build of another run or of `edge warehouse build`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from dagster import ConfigurableResource, InitResourceContext

from edge_assets.core.settings import Settings
from edge_assets.store.analytics.build_lock import ActiveBuild, hold_build_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILDER_TAG = "edge/builder"
"""Names the builder of runs outside Dagster."""


class BuildLock(NamedTuple):
    """The database whose warehouse this run alone may build."""

    database_url: str


class BuildLockResource(ConfigurableResource[BuildLock]):
    """Acquired before the first step of a run and released after its last."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[BuildLock]:
        """Wait for the lock of DATABASE_URL, and log the wait."""
        url = Settings().require_database_url()
        with hold_build_lock(url, _builder_name(context), lambda builder: _log_waiting(context, builder)):
            yield BuildLock(url)


def _builder_name(context: InitResourceContext) -> str:
    run = context.run
    return run.tags.get(BUILDER_TAG, f"Dagster run {run.run_id[:8]}") if run else "a build"


def _log_waiting(context: InitResourceContext, builder: ActiveBuild | None) -> None:
    who = "another build" if builder is None else f"{builder.name}, running since {builder.since:%H:%M:%S} UTC"
    if context.log is not None:
        context.log.warning("waiting for %s: only one build of the warehouse runs at a time", who)
