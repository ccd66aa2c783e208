"""What waits for somebody's decision, the longest wait first. Each kind is one query, and a line here."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Min, QuerySet, Value

from hashshare.models import Commitment, Draft, Organisation, Person, Subscription
from hashshare.selectors.redistribution import who_decides


@dataclass(frozen=True, slots=True)
class Waiting:
    """`who` asks, `decides` has to; `row` leads to the row of a table: its class's name in lower case and its id."""

    kind: str
    what: str
    who: str
    decides: str
    since: datetime
    row: tuple[str, str]


def waiting(*, limit: int) -> list[Waiting]:
    """All kinds together, oldest first, at most `limit`."""
    return sorted((each for rows in QUEUES.values() for each in rows(limit)), key=lambda each: each.since)[:limit]


@dataclass(frozen=True, slots=True)
class Queue:
    """How many wait, and since when the longest; None of none."""

    number: int
    since: datetime | None


def queue_lengths() -> dict[str, Queue]:
    """By kind, of all that `waiting` lists; one query."""
    first, *others = (
        rows.order_by().values(queue=Value(kind)).annotate(number=Count("pk"), since=Min(moment)).values_list(*LENGTH)
        for kind, rows, moment in (
            ("subscription", open_requests(), "requested_at"),
            ("upload", submitted_uploads(), "submitted_at"),
            ("commitment", awaiting_commitments(), "entered_at"),
        )
    )
    return {kind: Queue(number, since) for kind, number, since in first.union(*others, all=True)}


LENGTH: Final = ("queue", "number", "since")


def requests_for(hotline: uuid.UUID) -> Queue:
    """That its analysts are to decide."""
    rows = open_requests().filter(list__publisher__organisation=hotline)
    return Queue(**rows.aggregate(number=Count("pk"), since=Min("requested_at")))


def uploads_for(person: Person) -> Queue:
    """Of the person's hotline, that this analyst may approve: neither uploaded nor submitted by the same."""
    rows = submitted_uploads().filter(list__publisher__organisation=person.organisation_id)
    rows = rows.exclude(uploaded_by=person).exclude(submitted_by=person)
    return Queue(**rows.aggregate(number=Count("pk"), since=Min("submitted_at")))


def open_requests() -> QuerySet[Subscription]:
    """Of lists whose hotline is there to decide, or not: the operator may in its place."""
    rows = Subscription.objects.filter(state=Subscription.State.REQUESTED)
    return rows.exclude(organisation__state=Organisation.State.SUSPENDED)


def submitted_uploads() -> QuerySet[Draft]:
    """For a second analyst of the hotline; nobody else can approve one."""
    return Draft.objects.filter(state=Draft.State.SUBMITTED, submitted_at__isnull=False)


def awaiting_commitments() -> QuerySet[Commitment]:
    return Commitment.objects.filter(standing=Commitment.Standing.AWAITING)


def _requests(limit: int) -> list[Waiting]:
    rows = open_requests().order_by("requested_at")
    return [
        Waiting(
            "subscription",
            row.list.name,
            row.organisation.name,
            who_decides(row.list),
            row.requested_at,
            ("subscription", str(row.pk)),
        )
        for row in rows.select_related("organisation", "list__publisher__organisation")[:limit]
    ]


def _uploads(limit: int) -> list[Waiting]:
    rows = submitted_uploads().order_by("submitted_at")
    found = rows.select_related("list__publisher__organisation", "submitted_by")[:limit]
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


def _commitments(limit: int) -> list[Waiting]:
    rows = awaiting_commitments().order_by("entered_at")
    return [
        Waiting(
            "commitment",
            row.action.text,
            row.signatory.name,
            "you",
            row.entered_at,
            ("commitment", str(row.pk)),
        )
        for row in rows.select_related("signatory", "action")[:limit]
    ]


QUEUES: Final[dict[str, Callable[[int], list[Waiting]]]] = {
    "subscription": _requests,
    "upload": _uploads,
    "commitment": _commitments,
}
