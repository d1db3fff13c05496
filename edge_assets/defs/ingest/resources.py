"""What the assets and sensors of this location are handed: plain objects, made when something runs."""

from __future__ import annotations

from dagster import ConfigurableResource, InitResourceContext

from edge_assets.settings import Settings


class SettingsResource(ConfigurableResource[Settings]):
    """The environment as `Settings`, read anew by every run and tick."""

    def create_resource(self, context: InitResourceContext) -> Settings:  # noqa: ARG002 - Dagster's signature
        """Read the environment."""
        return Settings()
