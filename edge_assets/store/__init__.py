"""The database and the streams: schema, COPY writer, readers, outbox, leases.

The only SQL outside `dbt_project`. Synchronous psycopg 3: a call costs milliseconds, and async callers run it in a
thread. Readers leave no transaction open behind them when the connection is in autocommit mode, which `connect`
makes it.
"""
