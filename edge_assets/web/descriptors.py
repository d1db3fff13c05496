"""How many files and connections this process may have open."""

from __future__ import annotations

import resource

TARGET_DESCRIPTORS = 65_536
UNLIMITED_DESCRIPTORS = 1 << 20


def raise_descriptor_limit() -> None:
    """Raise the limit as far as allowed and useful; many systems start with 1,024 or 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = TARGET_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(TARGET_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        except (OSError, ValueError):  # macOS has a lower, undocumented limit
            return


def descriptor_limit() -> int:
    """The current limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
