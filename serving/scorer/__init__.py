"""The scorer process: from the stream of changed prices to the stream of alerts.

Crash-only: all state is in the database as of the last committed poll of each sport. When the database goes away or the
process is killed, the service starts over from there. Redis makes it prompt and is not needed: what the stream does not
bring is found in the database, in order, and alerts wait in the outbox until Redis takes them. An entry that was scored
before is recognised by its poll id and skipped.
"""
