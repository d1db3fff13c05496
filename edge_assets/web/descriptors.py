"""How many files and connections this process may have open."""

from __future__ import annotations

import resource

WANTED_DESCRIPTORS = 65_536
UNLIMITED_DESCRIPTORS = 1 << 20


def raise_descriptor_limit() -> None:
    """Take as many as we are allowed to, up to what we could use; many systems begin with 1,024 or 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(WANTED_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit that it does not tell
            return


def descriptor_limit() -> int:
    """How many there may be at present."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
