"""Work that is divided: a job waits, in nobody's hands, until its parts have been done by whichever workers are free.

A part is a job like any other, claimed with a lease. At most `SENT_AT_ONCE` parts of a job are with the broker; each
that ends sends the next, in the transaction that ends it, so that neither a kill nor a lost message breaks the row.
Whoever changes parts holds the parent's row first: of two that end at the same moment one sees that it was the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from hashshare.models import Job
from hashshare.services.jobs import Claim, LostClaim, finish_job, send

SENT_AT_ONCE = 32
"""Also the most workers that one base keeps busy."""

UNFINISHED = (Job.State.QUEUED, Job.State.RUNNING)


@transaction.atomic
def divide_job(*, claim: Claim, kind: str, parts: int, message: str, now: datetime) -> None:
    """Give the claimed job's work to `parts` jobs, numbered from 0, and let the worker go. Raises LostClaim."""
    parent = claim.lock()
    made = Job.objects.bulk_create(
        Job(
            kind=kind,
            parent=parent,
            number=number,
            organisation_id=parent.organisation_id,
            target=parent.target,
            created_at=now,
        )
        for number in range(parts)
    )
    claim.mine().update(
        state=Job.State.WAITING,
        claim=None,
        leased_until=None,
        progress_done=0,
        progress_total=parts,
        progress_message=message[:200],
    )
    send_parts(made[:SENT_AT_ONCE], now)


@transaction.atomic
def finish_part(
    *, claim: Claim, now: datetime, result: dict[str, Any] | None = None, problem: dict[str, Any] | None = None
) -> None:
    """Done, or failed with a problem document, which stops the parts after it; those before it go on, so that what is
    reported in the end is the first fault and not the fastest. The last to end wakes the parent. Raises LostClaim.
    """
    waiting = Job.objects.filter(parts=claim.job, state=Job.State.WAITING)
    parent = waiting.select_for_update(of=("self",)).first()
    if parent is None:
        raise LostClaim
    claim.lock()
    finish_job(claim=claim, now=now, result=result, problem=problem)
    unfinished = Job.objects.filter(parent=parent, state__in=UNFINISHED)
    if problem is not None:
        stopped = {"state": Job.State.STOPPED, "claim": None, "leased_until": None, "finished_at": now}
        unfinished.filter(number__gt=claim.job.number).update(**stopped)
    done = Job.objects.filter(parent=parent, state=Job.State.DONE).count()
    if unfinished.exists():
        Job.objects.filter(pk=parent.pk).update(progress_done=done)
        send_parts(list(unfinished.filter(state=Job.State.QUEUED, sent_at=None).order_by("number")[:1]), now)
    else:
        wake_parent(parent, done, now)


def wake_parent(parent: Job, done: int, now: datetime) -> None:
    """Queue it again. Its attempts count from here: those before the division have done their part."""
    fields = {"state": Job.State.QUEUED, "attempts": 0, "sent_at": now, "progress_done": done}
    Job.objects.filter(pk=parent.pk).update(**fields)
    transaction.on_commit(partial(send, parent))


def send_parts(parts: Sequence[Job], now: datetime) -> None:
    """Mark them as sent, and do so once the transaction stands."""
    Job.objects.filter(pk__in=[part.pk for part in parts]).update(sent_at=now)
    for part in parts:
        transaction.on_commit(partial(send, part))


def parts_of(job: Job) -> QuerySet[Job]:
    """In the order of their numbers; none if the job's work was not divided."""
    return Job.objects.filter(parent=job).order_by("number")


def first_problem(job: Job) -> dict[str, Any] | None:
    """The problem document of the first part that failed, if one did."""
    return parts_of(job).filter(state=Job.State.FAILED).values_list("problem", flat=True).first()


def waiting_before_parts() -> list[Job]:
    """Jobs that nobody has taken up yet and that are no part of another, the oldest first.

    A worker that was woken for one part of a large base does these before it: a small release must not wait for it.
    """
    fresh = Q(state=Job.State.QUEUED, attempts=0, parent=None)
    return list(Job.objects.filter(fresh).order_by("created_at")[:10])
