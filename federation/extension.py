"""Where the federation joins the hub: every place at which the hub asks, answered from here."""

from __future__ import annotations

from typing import Final

from federation.selectors import elsewhere
from federation.selectors.crossing import crossing_to
from federation.selectors.receiving import decided_at, why_not
from federation.timetable import TIMETABLE
from hashshare.extensions import Extension
from hashshare.models import Organisation


def _keeps_out(organisation: Organisation) -> str:
    from federation.selectors.peers import keeps_out

    return keeps_out(organisation)


EXTENSION: Final = Extension(
    planned=TIMETABLE,
    may_cross=crossing_to,
    why_not=why_not,
    decided_at=decided_at,
    keeps_out=_keeps_out,
    tasks={"mirror": "federation.tasks.mirror"},
    elsewhere=elsewhere.elsewhere,
    statements=elsewhere.relayed_statements,
)
