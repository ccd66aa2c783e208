"""Where the federation joins the hub: every place at which the hub asks, answered from here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from federation.selectors import elsewhere
from federation.selectors.crossing import crossing_to
from federation.selectors.peers import keeps_out
from federation.selectors.receiving import decided_at, why_not
from federation.timetable import TIMETABLE
from hashshare.extensions import Extension

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hashshare.admin.desks import Page
    from hashshare.admin.notices import Notice


def _notices(request: HttpRequest, now: datetime) -> list[Notice]:
    from federation.admin.notices import notices

    return notices(request, now)


def _pages() -> list[Page]:
    from federation.admin.requests import pages

    return pages()


EXTENSION: Final = Extension(
    planned=TIMETABLE,
    pages=_pages,
    tables={
        "Federation": (
            *("Peer", "Agreement", "MemberRequest", "ReportCursor", "RemoteHub"),
            *("Finding", "Cosigning", "WitnessedLog", "WatchedLog"),
        )
    },
    about={
        "Peer": "Other hubs: how each stands, and how far behind what is copied from it is",
        "Agreement": "What crosses to which hub and from which, until when",
        "MemberRequest": "What members of other hubs ask for, and what the hotline decided",
        "ReportCursor": "How far the hubs that lists come from were told of the members here",
        "RemoteHub": "Hubs that told how far their members are with lists from here",
        "Finding": "Two histories of a log, a root replaced in silence: what peers did, with what proves it",
        "Cosigning": "Which witnesses cosigned this hub's logs, and when",
        "WitnessedLog": "Peers' logs that this hub cosigned, and how far",
        "WatchedLog": "Peers' logs as this hub read them last",
    },
    tables_module="federation.admin.tables",
    notices=_notices,
    may_cross=crossing_to,
    why_not=why_not,
    decided_at=decided_at,
    keeps_out=keeps_out,
    tasks={"mirror": "federation.tasks.mirror"},
    elsewhere=elsewhere.elsewhere,
    statements=elsewhere.relayed_statements,
)
