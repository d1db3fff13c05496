"""The scorer process: from the stream of changed prices to the stream of alerts.

Crash-only: all state is in the database as of the last committed poll of each sport. Whatever goes wrong
(Redis or the database away, a killed process), the service starts over from there: it publishes what was
committed but not announced, catches up from the database on what the stream may have lost, and goes on
with the stream. An entry that was scored before is recognised by its poll id and skipped.
"""
