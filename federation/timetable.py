"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import HOUR, MINUTE, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "have_cosigned", MINUTE, 15 * MINUTE,
        does="Has each new public checkpoint of the logs cosigned by every peer, and by HASHSHARE_WITNESSES.",
        seen="Cosignatures: each log has one of the last hour by each witness, or says why not.",
        missed="Members that require cosignatures alarm after a day. Nothing is lost: the next run asks for all.",
        module="federation.tasks",
    ),
    Planned(
        "watch_peers", 10 * MINUTE, HOUR,
        does="Reads each peer's public logs and roots, and compares with what it showed before, and to other peers.",
        seen="Logs watched: each was seen in the last minutes.",
        missed="A peer that shows two histories, or replaces a root in silence, is noticed later.",
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
