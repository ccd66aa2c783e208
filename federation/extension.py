"""Where the federation joins the hub: every place at which the hub asks, answered from here."""

from __future__ import annotations

from typing import Final

from federation.timetable import TIMETABLE
from hashshare.extensions import Extension
from hashshare.models import Organisation


def _keeps_out(organisation: Organisation) -> str:
    from federation.selectors.peers import keeps_out

    return keeps_out(organisation)


EXTENSION: Final = Extension(
    planned=TIMETABLE,
    tasks={"mirror": "federation.tasks.mirror"},
    keeps_out=_keeps_out,
)
