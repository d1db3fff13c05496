"""The database side of one sport's turn: the lease, the last known quotes, the write and the outbox.

All of it shares one connection on purpose: the lease is an advisory lock of that connection, so whoever
lost the connection lost the lease too and cannot write beside its successor.
"""
