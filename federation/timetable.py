"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import HOUR, MINUTE, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "send_reports", MINUTE, 15 * MINUTE, module="federation.tasks",
        does="Tells the hubs that mirrored lists come from how far their withdrawals got among the members here.",
        seen="Reports to hubs: no list has waited for more than a few minutes.",
        missed="Hotlines at other hubs see an older state of the members here. Nothing is lost.",
    ),
    Planned(
        "erase_evidence", HOUR, 3 * HOUR, module="federation.tasks",
        does="Erases what other hubs told of their members after HASHSHARE_LOG_YEARS, with the openings in the logs.",
        seen="Logs: a leaf of kind erasure on the days when something was.",
        missed="What your law says may be kept no longer is kept until the next run.",
    ),
)  # fmt: skip
