"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import HOUR, MINUTE, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "check_peers", 10 * MINUTE, HOUR,
        does="Asks each peer's address what it is, and keeps apart one at which another hub answers than was accepted.",
        seen="Peers: each was last reached within the last ten minutes.",
        missed="That a peer's keys have changed, or that it is gone, is noticed later.",
        module="federation.tasks",
    ),
)  # fmt: skip
