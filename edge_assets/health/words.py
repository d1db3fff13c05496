"""Quantities as people say them."""

from __future__ import annotations

from datetime import timedelta

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
MIB = 2**20


def duration(length: timedelta) -> str:
    """A length of time in its largest unit: "19 minutes"; below two of a unit the next smaller one counts."""
    seconds = max(0, round(length.total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def amount(size: float) -> str:
    """Bytes as MiB, or GiB where there are many."""
    return f"{size / MIB:,.0f} MiB" if size < 1024 * MIB else f"{size / MIB / 1024:,.1f} GiB"
