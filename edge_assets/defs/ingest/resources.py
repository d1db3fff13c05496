"""What the assets and sensors of this location are handed: plain objects, made when something runs."""

from __future__ import annotations

from dagster import ConfigurableResource, InitResourceContext

from edge_assets.core.clock import WallClock
from edge_assets.core.settings import Settings


class SettingsResource(ConfigurableResource[Settings]):
    """The environment as `Settings`, read anew by every run and tick."""

    def create_resource(self, context: InitResourceContext) -> Settings:  # noqa: ARG002 - Dagster's signature
        """Read the environment."""
        return Settings()


class ClockResource(ConfigurableResource[WallClock]):
    """What time it is for whoever decides when something is due."""

    def create_resource(self, context: InitResourceContext) -> WallClock:  # noqa: ARG002 - Dagster's signature
        """The wall clock: only the real feed is planned by time."""
        return WallClock()
