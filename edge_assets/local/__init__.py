"""The stack on one machine: servers from wheels, supervised, with their data under `EDGE_HOME`.

`stack.up` starts it, `shutdown.down` leaves nothing of it running. What runs is declared in `services`; how a
process is kept alive is the business of the `supervisor` library.
"""
