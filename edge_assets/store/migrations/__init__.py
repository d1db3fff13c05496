"""Alembic's environment; run through `edge_assets.store.schema.upgrade`."""
