"""Durations and sizes in words."""

from __future__ import annotations

from datetime import timedelta

_UNITS_SECONDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
MIB = 2**20


def format_duration(delta: timedelta) -> str:
    """A duration in its largest unit, e.g. "19 minutes"; below two of a unit, in the next smaller one."""
    seconds = max(0, round(delta.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS_SECONDS if seconds >= 2 * size), _UNITS_SECONDS[-1])
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def format_bytes(size: float) -> str:
    """A size in MiB, or in GiB from 1,024 MiB."""
    return f"{size / MIB:,.0f} MiB" if size < 1024 * MIB else f"{size / MIB / 1024:,.1f} GiB"
