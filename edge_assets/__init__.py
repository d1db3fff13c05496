"""Collecting odds: feeds, ingestion, store, orchestration and the local stack."""
