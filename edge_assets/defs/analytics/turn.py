"""The turn to build the warehouse: a run waits for the build that another run, or `edge warehouse build`, is at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from dagster import ConfigurableResource, InitResourceContext

from edge_assets.core.settings import Settings
from edge_assets.store.analytics.build_lock import ActiveBuild, hold_build_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILDER_TAG = "edge/builder"
"""Who builds, in a run that does not run under Dagster."""


class BuildLock(NamedTuple):
    """The database whose warehouse nobody else builds at present."""

    database_url: str


class BuildLockResource(ConfigurableResource[BuildLock]):
    """Taken before the first step of a run and given back behind its last."""

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator[BuildLock]:
        """Wait for DATABASE_URL's turn, and say so."""
        url = Settings().require_database_url()
        with hold_build_lock(url, _builder_name(context), lambda builder: _log_waiting(context, builder)):
            yield BuildLock(url)


def _builder_name(context: InitResourceContext) -> str:
    run = context.run
    return run.tags.get(BUILDER_TAG, f"Dagster run {run.run_id[:8]}") if run else "a build"


def _log_waiting(context: InitResourceContext, builder: ActiveBuild | None) -> None:
    who = "another build" if builder is None else f"{builder.name}, which is at it since {builder.since:%H:%M:%S} UTC"
    if context.log is not None:
        context.log.warning("waiting for %s: the warehouse is built by one at a time", who)
