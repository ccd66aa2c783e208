"""Spans of time as people say them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def span(length: timedelta) -> str:
    """In its largest unit, rounded down: `3 days`, `1 hour`, `0 seconds`; the sign is left out."""
    seconds = int(abs(length.total_seconds()))
    size, unit = next((it for it in _UNITS if seconds >= it[0]), _UNITS[-1])
    number = seconds // size
    return f"{number:,} {unit}{'' if number == 1 else 's'}"
