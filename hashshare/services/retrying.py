"""Trying a job again that failed, or waits, through trouble of the hub's own. What a hotline got wrong stays so."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

from django.db import IntegrityError, transaction

from hashshare.models import Commit, Job, Release
from hashshare.selectors.troubles import OURS
from hashshare.services.jobs import send
from hashshare.wire import errors

OF_COMMITS: Final = (Job.Kind.VERIFY_RELEASE, Job.Kind.APPLY_METADATA)
"""Other work is begun again where it was asked for, such as on the page of an upload."""


def may_retry(job: Job) -> bool:
    """A whole job that waits for a worker, or that the hub itself could not do. One that runs is left alone: its lease
    says when another worker takes it. A part goes with its whole.
    """
    if job.parent_id is not None:
        return False
    return job.state == Job.State.QUEUED or is_ours(job)


def is_ours(job: Job) -> bool:
    """Whether it failed through the hub's own trouble, such as a full disk."""
    ours = int((job.problem or {}).get("status") or 0) >= OURS
    return ours and job.state == Job.State.FAILED and job.kind in OF_COMMITS


@transaction.atomic
def retry_job(*, job: Job, now: datetime) -> Job:
    """Wake the workers for a queued job; open a failed one again, with its commit and release, and begin from scratch.

    What was committed since decides as ever: a release that no longer follows is rejected for that. Raises Conflict
    when the state has changed, or another commit to the list waits.
    """
    row = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if not may_retry(row):
        raise errors.Conflict("This job cannot be tried again: it is over, or a worker is at it.")
    if row.state == Job.State.FAILED:
        _open_again(row)
    Job.objects.filter(pk=row.pk).update(sent_at=now)
    row.refresh_from_db()
    transaction.on_commit(partial(send, row))
    return row


def _open_again(row: Job) -> None:
    commit = Commit.objects.filter(job=row, state=Commit.State.REJECTED).first()
    if commit is None:
        raise errors.Conflict("What this job was about is no longer here.")
    try:
        with transaction.atomic():
            Commit.objects.filter(pk=commit.pk).update(state=Commit.State.PENDING, problem=None, decided_at=None)
            releases = Release.objects.filter(commit=commit, state=Release.State.REJECTED)
            releases.update(state=Release.State.VERIFYING, reasons=[])
    except IntegrityError as error:
        raise errors.Conflict(
            "Another commit to this list waits to be verified.", next_step="Try again when that is decided."
        ) from error
    Job.objects.filter(parent=row).delete()
    Job.objects.filter(pk=row.pk).update(
        state=Job.State.QUEUED,
        attempts=0,
        problem=None,
        result=None,
        claim=None,
        leased_until=None,
        started_at=None,
        finished_at=None,
        progress_done=0,
        progress_total=0,
        progress_message="",
    )
