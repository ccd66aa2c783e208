"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import MINUTE, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "relay_requests", MINUTE, 15 * MINUTE,
        does="Tells peers what members here ask for of lists that are at home there, follows what was decided, and "
        "closes copies that may no longer be passed on.",
        seen="Subscriptions: none to a copied list is requested for long without its peer having been told.",
        missed="Members wait for lists of other hubs. A peer serves nothing that has ended, whatever stands here.",
        module="federation.tasks",
    ),
)  # fmt: skip
