"""Alembic's environment; run through `edge_assets.store.postgres.schema.upgrade`."""
