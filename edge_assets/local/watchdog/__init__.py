"""A small process that checks the services every few seconds, reports problems, and restarts those that hang.

It always runs, so it imports only psycopg, psutil and the standard library. It measures time on the monotonic clock:
a jump of the wall clock is reported and affects nothing else.
"""
