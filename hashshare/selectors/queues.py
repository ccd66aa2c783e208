"""What waits for somebody's decision, the longest wait first. Each kind is one query, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hashshare.models import Organisation, Subscription

MOST: Final = 200
"""Of each kind."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`who` asks, `decides` has to; `row` leads to the row of a table: its class's name in lower case and its id."""

    kind: str
    what: str
    who: str
    decides: str
    since: datetime
    row: tuple[str, str]


def waiting() -> list[Waiting]:
    """All kinds together, oldest first."""
    return sorted((each for rows in QUEUES.values() for each in rows()), key=lambda each: each.since)


def _requests() -> list[Waiting]:
    """Of lists whose hotline is there to decide, or not: the operator may in its place."""
    rows = Subscription.objects.filter(state=Subscription.State.REQUESTED).order_by("requested_at")
    rows = rows.exclude(organisation__state=Organisation.State.SUSPENDED)
    return [
        Waiting(
            "subscription",
            row.list.name,
            row.organisation.name,
            row.list.publisher.organisation.name,
            row.requested_at,
            ("subscription", str(row.pk)),
        )
        for row in rows.select_related("organisation", "list__publisher__organisation")[:MOST]
    ]


QUEUES: Final[dict[str, Callable[[], list[Waiting]]]] = {"subscription": _requests}
