"""Alembic's environment; run through `edge_assets.store.database.upgrade`."""
