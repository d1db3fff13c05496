"""The database and the streams: schema, COPY writer, readers, outbox, leases.

The only SQL outside `dbt_project`. Synchronous psycopg 3: a call takes milliseconds, and async callers run it in a
thread. On connections from `connect`, which are in autocommit mode, readers leave no transaction open.
"""
