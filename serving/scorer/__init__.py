"""The scorer process: from the stream of changed prices to the stream of alerts.

Crash-only: all state is in the database, as of the last committed poll of each sport. After a lost connection or a kill
the service resumes from there. Redis only reduces latency: polls that the stream does not deliver are read from the
database, in order, and alerts wait in the outbox until Redis accepts them. Polls that have been scored are recognised
by their id and skipped.
"""
