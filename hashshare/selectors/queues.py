"""What waits for somebody's decision, the longest wait first. Each kind is one query, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hashshare.models import Commitment, Draft, Organisation, Subscription

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


def _uploads() -> list[Waiting]:
    """For a second analyst of the hotline; nobody else can approve one."""
    rows = Draft.objects.filter(state=Draft.State.SUBMITTED, submitted_at__isnull=False).order_by("submitted_at")
    found = rows.select_related("list__publisher__organisation", "submitted_by")[:MOST]
    return [
        Waiting(
            "upload",
            row.list.name,
            str(row.submitted_by or ""),
            f"another analyst of {row.list.publisher.organisation}",
            row.submitted_at or row.uploaded_at,
            ("hashlist", str(row.list.pk)),
        )
        for row in found
    ]


def _commitments() -> list[Waiting]:
    rows = Commitment.objects.filter(standing=Commitment.Standing.AWAITING).order_by("entered_at")
    return [
        Waiting(
            "commitment",
            row.action.text,
            row.signatory.name,
            "you",
            row.entered_at,
            ("commitment", str(row.pk)),
        )
        for row in rows.select_related("signatory", "action")[:MOST]
    ]


QUEUES: Final[dict[str, Callable[[], list[Waiting]]]] = {
    "subscription": _requests,
    "upload": _uploads,
    "commitment": _commitments,
}
