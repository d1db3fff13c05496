"""Resources of the assets and sensors of this location: plain objects, created at run time."""

from __future__ import annotations

from dagster import ConfigurableResource, InitResourceContext

from edge_assets.core.clock import WallClock
from edge_assets.core.settings import Settings


class SettingsResource(ConfigurableResource[Settings]):
    """The environment as `Settings`, read again by every run and tick."""

    def create_resource(self, context: InitResourceContext) -> Settings:  # noqa: ARG002 - Dagster's signature
        """Read the environment."""
        return Settings()


class ClockResource(ConfigurableResource[WallClock]):
    """The clock that decides when something is due."""

    def create_resource(self, context: InitResourceContext) -> WallClock:  # noqa: ARG002 - Dagster's signature
        """The wall clock: only the real feed is scheduled by time."""
        return WallClock()
