"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import Planned

TIMETABLE: Final[tuple[Planned, ...]] = ()
