"""The stack on one machine: servers from wheels, supervised, with their data under `EDGE_HOME`.

`stack.up` starts it, `shutdown.down` stops all of it. `services` declares what runs; supervisord keeps it running.
"""
