"""Where the federation joins the hub: every place at which the hub asks, answered from here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from federation.timetable import TIMETABLE
from hashshare.extensions import Extension

if TYPE_CHECKING:
    from django.http import HttpRequest

    from hashshare.admin.notices import Notice
    from hashshare.models import Organisation


def _notices(request: HttpRequest, now: datetime) -> list[Notice]:
    from federation.admin.notices import notices

    return notices(request, now)


def _keeps_out(organisation: Organisation) -> str:
    from federation.selectors.peers import keeps_out

    return keeps_out(organisation)


EXTENSION: Final = Extension(
    planned=TIMETABLE,
    tables={"Federation": ("Peer", "Agreement", "Finding", "Cosigning", "WitnessedLog", "WatchedLog")},
    about={
        "Peer": "Other hubs: how each stands, and how far behind what is copied from it is",
        "Agreement": "What crosses to which hub and from which, until when",
        "Finding": "Two histories of a log, a root replaced in silence: what peers did, with what proves it",
        "Cosigning": "Which witnesses cosigned this hub's logs, and when",
        "WitnessedLog": "Peers' logs that this hub cosigned, and how far",
        "WatchedLog": "Peers' logs as this hub read them last",
    },
    tables_module="federation.admin.tables",
    notices=_notices,
    keeps_out=_keeps_out,
)
