"""Nightly maintenance: retention, deletion in batches, growth of the database and of Dagster's own tables."""
