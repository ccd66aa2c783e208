"""What on the overview needs somebody beside signatures and the timetable: few rows each, found by an index."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q

from hashshare.models import Acknowledgement, Job, Organisation, Reminder, Subscription
from hashshare.selectors.entitlements import in_force
from hashshare.selectors.propagation import SHOWN_DAYS

FAILED_WITHIN: Final = timedelta(days=7)
WAITS_LONG: Final = timedelta(minutes=10)
OURS: Final = 500
"""Status of a problem document from which on the fault is the hub's."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """An organisation that has not applied a withdrawal of a list in time."""

    organisation: str
    list_name: str


def overdue_members(*, of: uuid.UUID | None, now: datetime, limit: int) -> list[Overdue]:
    """Those noted as overdue in the last month that have not acknowledged since and still have access; by name.

    The hourly job notes them, so this is an hour late at most, and looks at none of the members that are in time.
    `of`: an organisation, as member or as the list's hotline; None for all.
    """
    stated = Acknowledgement.objects.filter(
        list=OuterRef("release__list"), organisation=OuterRef("organisation"), version__gte=OuterRef("release__version")
    )
    access = Subscription.objects.filter(
        in_force(now), list=OuterRef("release__list"), organisation=OuterRef("organisation")
    )
    rows = Reminder.objects.filter(~Exists(stated), Exists(access), sent_at__gt=now - timedelta(days=SHOWN_DAYS))
    rows = rows.exclude(organisation__state=Organisation.State.SUSPENDED)
    if of is not None:
        rows = rows.filter(Q(organisation=of) | Q(release__list__publisher__organisation=of))
    names = rows.order_by("organisation__name", "release__list__publisher__domain", "release__list__slug").distinct()
    found = names.values_list("organisation__name", "release__list__publisher__domain", "release__list__slug")
    return [Overdue(name, f"{domain}/{slug}") for name, domain, slug in found[:limit]]


@dataclass(frozen=True, slots=True)
class JobTroubles:
    """`failed`: through the hub's own trouble, in the last week; `waiting`: whole jobs that no worker has taken up."""

    failed: int
    waiting: int


def job_troubles(*, now: datetime) -> JobTroubles:
    failed = Q(state=Job.State.FAILED, finished_at__gt=now - FAILED_WITHIN, problem__status__gte=OURS)
    waiting = Q(state=Job.State.QUEUED, created_at__lt=now - WAITS_LONG)
    counts = Job.objects.filter(failed | waiting, parent=None).aggregate(
        failed=Count("pk", filter=failed), waiting=Count("pk", filter=waiting)
    )
    return JobTroubles(**counts)
