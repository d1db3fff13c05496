"""The code location `ingest`: light, because every burst run imports it before its first poll."""
