"""What Celery beat starts for the federation; the same rules as hashshare/timetable.py, and shown beside it."""

from __future__ import annotations

from typing import Final

from hashshare.timetable import HOUR, MINUTE, SECOND, Planned

TIMETABLE: Final[tuple[Planned, ...]] = (
    Planned(
        "check_peers", 10 * MINUTE, HOUR,
        does="Asks each peer's address what it is, and keeps apart one at which another hub answers than was accepted.",
        seen="Peers: each was last reached within the last ten minutes.",
        missed="That a peer's keys have changed, or that it is gone, is noticed later.",
        module="federation.tasks",
    ),
    Planned(
        "mirror_peers", 15 * SECOND, 5 * MINUTE,
        does="Asks each peer every HASHSHARE_MIRROR_SECONDS for what is new, and has it copied.",
        seen="Peers: each was reached in the last minutes. Jobs: those of kind Copy a publisher from another hub.",
        missed="Mirrored lists fall behind; after 24 hours their members alarm. They stay in use.",
        module="federation.tasks",
    ),
    Planned(
        "relay_requests", MINUTE, 15 * MINUTE,
        does="Tells peers what members here ask for of lists that are at home there, follows what was decided, and "
        "closes copies that may no longer be passed on.",
        seen="Subscriptions: none to a copied list is requested for long without its peer having been told.",
        missed="Members wait for lists of other hubs. A peer serves nothing that has ended, whatever stands here.",
        module="federation.tasks",
    ),
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
)  # fmt: skip
