"""Polls: written, inserted, read back as of any moment; leases, outbox, credits."""
