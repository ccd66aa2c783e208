"""The queue of record: jobs are claimed with a lease, kept alive by a heartbeat, and sent again when a lease runs out.

A message from the broker only says that a job may be due. Whoever claims the row works on it; whoever lost the claim
can change nothing any more, since finishing compares the claim inside the finishing transaction.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from hashshare.extensions import extensions
from hashshare.models import Job, Organisation
from hashshare.wire import errors

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 20
"""A job whose worker vanished this often is given up as failed: something in it kills workers."""

RESEND_AFTER = timedelta(seconds=30)
"""How long a queued job may wait for a worker before the sweep sends it again."""


class LostClaim(errors.HashshareError):
    """Another worker has taken over this job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to finish `job`, until the lease runs out unrenewed."""

    job: Job
    token: uuid.UUID

    def progress(self, done: int, total: int, message: str) -> None:
        """Show how far the work is; raises LostClaim when somebody else has it."""
        fields = {"progress_done": done, "progress_total": total, "progress_message": message[:200]}
        if not self.mine().update(**fields):
            raise LostClaim

    def renew(self) -> bool:
        """Extend the lease; false when the claim is lost."""
        return bool(self.mine().update(leased_until=timezone.now() + lease()))

    def lock(self) -> Job:
        """The job's row, locked, inside the finishing transaction. Raises LostClaim."""
        row = self.mine().select_for_update().first()
        if row is None:
            raise LostClaim
        return row

    def mine(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.job.pk, claim=self.token, state=Job.State.RUNNING)


def lease() -> timedelta:
    return timedelta(seconds=settings.HASHSHARE_JOB_LEASE)


def create_job(*, kind: str, organisation: Organisation | None, target: uuid.UUID | None, now: datetime) -> Job:
    """A queued job; its message goes out when the transaction commits, so that no worker finds nothing."""
    job = Job.objects.create(kind=kind, organisation=organisation, target=target, created_at=now, sent_at=now)
    transaction.on_commit(lambda: send(job))
    return job


def task_of(kind: str) -> str:
    """The Celery task that does jobs of this kind."""
    added = (extension.tasks.get(kind) for extension in extensions())
    return next((task for task in added if task), f"hashshare.tasks.{kind}")


def send(job: Job) -> None:
    """Tell the workers. A broker that is down loses nothing: the sweep sends it again."""
    try:
        current_app.send_task(task_of(job.kind), args=[str(job.pk)], retry=False)
    except (OSError, OperationalError):
        logger.warning("The broker did not take job %s; the sweep will send it again.", job.pk, exc_info=True)


@transaction.atomic
def claim_job(*, job_id: uuid.UUID, worker: str, task_id: str, now: datetime) -> Claim | None:
    """Take the job if it is queued, or running with its lease run out. None: somebody else has it, or it is over."""
    due = Q(state=Job.State.QUEUED) | Q(state=Job.State.RUNNING, leased_until__lt=now)
    job = Job.objects.select_for_update(skip_locked=True).filter(due, pk=job_id).first()
    if job is None:
        return None
    job.state, job.claim, job.leased_until = Job.State.RUNNING, uuid.uuid4(), now + lease()
    job.attempts, job.worker, job.task_id = job.attempts + 1, worker[:200], task_id[:64]
    job.started_at = job.started_at or now
    job.save()
    return Claim(job, job.claim)


def finish_job(*, claim: Claim, now: datetime, result: dict[str, Any] | None, problem: dict[str, Any] | None) -> None:
    """Done, or failed with a problem document. Call inside the transaction that holds `claim.lock()`."""
    state = Job.State.DONE if problem is None else Job.State.FAILED
    changed = claim.mine().update(
        state=state,
        result=result,
        problem=problem,
        finished_at=now,
        claim=None,
        leased_until=None,
        progress_done=F("progress_total"),
        progress_message="",
    )
    if not changed:
        raise LostClaim


def requeue_job(*, claim: Claim, now: datetime) -> None:
    """Give the job back; the sweep sends it again after a while."""
    claim.mine().update(state=Job.State.QUEUED, claim=None, leased_until=None, sent_at=now)


@contextmanager
def heartbeat(claim: Claim) -> Iterator[None]:
    """Renew the lease from a thread while the block runs; a worker that is killed stops renewing."""
    over = threading.Event()
    thread = threading.Thread(target=beat, args=(claim, over), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)


def beat(claim: Claim, over: threading.Event) -> None:
    """One database connection of its own; a failed renewal is tried again until the next."""
    try:
        while not over.wait(lease().total_seconds() / 3):
            try:
                if not claim.renew():
                    return
            except Exception:  # noqa: BLE001 - whatever the database's trouble, the work itself goes on
                connection.close()
    finally:
        connection.close()


def sweep_jobs(*, now: datetime) -> int:
    """Send again every job that waits too long or whose worker went silent; how many.

    Rows that are locked are being claimed at this moment and are skipped. Parts that were never sent wait for
    their turn.
    """
    unsent = Q(sent_at=None, parent=None)
    waiting = Q(state=Job.State.QUEUED) & (unsent | Q(sent_at__lt=now - RESEND_AFTER))
    silent = Q(state=Job.State.RUNNING, leased_until__lt=now) & (Q(sent_at=None) | Q(sent_at__lt=now - lease()))
    with transaction.atomic():
        rows = Job.objects.select_for_update(skip_locked=True).filter(waiting | silent).order_by("created_at")
        due = list(rows[:1000])
        Job.objects.filter(pk__in=[job.pk for job in due]).update(sent_at=now)
    for job in due:
        send(job)
    return len(due)
