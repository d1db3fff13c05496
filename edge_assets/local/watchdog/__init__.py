"""A small process that looks every few seconds at what cannot report on itself, tells it, and restarts what hangs.

Light, as it stays for ever: psycopg, psutil and the standard library. Everything is judged on the monotonic clock, so
that a clock that jumps is told and confuses nothing.
"""
