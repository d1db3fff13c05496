"""PostgreSQL and TimescaleDB: connections, schema, binary formats, partitions, retention."""
