"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import HOUR, MINUTE, SECOND, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "mirror_peers", 15 * SECOND, 5 * MINUTE,
        does="Asks each peer every HASHSHARE_MIRROR_SECONDS for what is new, and has it copied.",
        seen="Peers: each was reached in the last minutes. Jobs: those of kind Copy a publisher from another hub.",
        missed="Mirrored lists fall behind; after 24 hours their members alarm. They stay in use.",
        module="federation.tasks",
    ),
    Planned(
        "check_peers", 10 * MINUTE, HOUR,
        does="Asks each peer's address what it is, and keeps apart one at which another hub answers than was accepted.",
        seen="Peers: each was last reached within the last ten minutes.",
        missed="That a peer's keys have changed, or that it is gone, is noticed later.",
        module="federation.tasks",
    ),
)  # fmt: skip
