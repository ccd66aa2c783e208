"""What Celery runs. A task carries an id at most; what is to be done, and whether, stands in the database."""

from __future__ import annotations

import functools
import logging
import os
import uuid
from collections.abc import Callable
from typing import Any, ParamSpec

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from hashshare.selectors.recovery import is_restored
from hashshare.services import (
    counting,
    draft_work,
    erasure,
    expiry,
    jobs,
    logs,
    nonces,
    objects,
    pruning,
    reminders,
    runs,
    sandbox,
    sealing,
    timestamps,
    warnings,
    work,
)
from hashshare.services.statistics import daily, editions

P = ParamSpec("P")

logger = logging.getLogger(__name__)


def unless_restored(task: Callable[P, None]) -> Callable[P, None]:
    """Nothing is done or signed in a hub that was restored from a backup and has not recovered: what it would do was
    done before it was lost, and may contradict that.
    """

    @functools.wraps(task)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        if is_restored():
            logger.warning("%s: this hub was restored from a backup; run manage.py recover.", task.__name__)
            return
        task(*args, **kwargs)

    return guarded


def process_of(task: Any) -> str:
    """Who does it, for the record: the worker's name and the process that works for it."""
    return f"{task.request.hostname} (process {os.getpid()})"


@shared_task(bind=True, name="hashshare.tasks.verify_release")
@unless_restored
def verify_release(self: Any, job_id: str) -> None:
    """Publish or reject the release that a job is about."""
    work.run_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))
    draft_work.follow_commit(job_id=uuid.UUID(job_id))


@shared_task(bind=True, name="hashshare.tasks.verify_shard")
@unless_restored
def verify_shard(self: Any, job_id: str) -> None:
    """Judge one shard of a release's new base."""
    work.run_part(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


@shared_task(bind=True, name="hashshare.tasks.apply_metadata")
@unless_restored
def apply_metadata(self: Any, job_id: str) -> None:
    """Accept or reject root and targets metadata."""
    work.run_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


@shared_task(bind=True, name="hashshare.tasks.check_draft")
@unless_restored
def check_draft(self: Any, job_id: str) -> None:
    """Count what an uploaded file would change."""
    draft_work.run_draft_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


@shared_task(bind=True, name="hashshare.tasks.publish_draft")
@unless_restored
def publish_draft(self: Any, job_id: str) -> None:
    """Publish an approved file of a hosted list."""
    draft_work.run_draft_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


@shared_task(bind=True, name="hashshare.tasks.tend_hosted")
@unless_restored
def tend_hosted(self: Any, job_id: str) -> None:
    """Sign a hosted list again, on a new base where one is due."""
    draft_work.run_draft_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


# --- The timetable ------------------------------------------------------------------------------------------------


def scheduled(work: Callable[[], None]) -> Any:
    """A job of a timetable, under the name of its module. Each run is on record; one that fails stops no other."""

    @shared_task(name=f"{work.__module__}.{work.__name__}")
    @functools.wraps(work)
    @unless_restored
    def run() -> None:
        with runs.recorded(work.__name__):
            work()

    return run


@scheduled
def sweep_jobs() -> None:
    """Send again what is due."""
    jobs.sweep_jobs(now=timezone.now())


@scheduled
def refresh_ending() -> None:
    """Sign what the hourly job missed while the hub was down."""
    timestamps.refresh_ending(now=timezone.now())


@scheduled
def refresh_timestamps() -> None:
    """Sign timestamps and snapshots again before they expire."""
    timestamps.refresh_timestamps(now=timezone.now())


@scheduled
def expire_due() -> None:
    """End what has an end date."""
    expiry.expire_due(now=timezone.now())


@scheduled
def warn_expiring() -> None:
    """Tell people of signatures that near their end."""
    warnings.warn_expiring(now=timezone.now())


@scheduled
def seal_logs() -> None:
    """Give waiting leaves their places, and once in each hour show the public what is there."""
    logs.begin_logs(now=timezone.now())
    sealing.seal_logs(now=timezone.now())
    sealing.publish_checkpoints(now=timezone.now())


@scheduled
def remind_overdue() -> None:
    """Mail members whose people should have applied a withdrawal by now."""
    reminders.remind_overdue(now=timezone.now())


@scheduled
def roll_up_statistics() -> None:
    """Write the coalition's figures of today, and of yesterday once more."""
    daily.roll_up_recent(now=timezone.now())


@scheduled
def count_entries() -> None:
    """Count what is on the lists that have moved."""
    counting.count_entries(now=timezone.now())


@scheduled
def publish_statistics() -> None:
    """Make the figures of weeks, months and quarters that are due."""
    editions.publish_periods(now=timezone.now())


@scheduled
def publish_sandbox() -> None:
    """The next release of the sandbox list, once a day."""
    sandbox.publish_sandbox(now=timezone.now())


@scheduled
def prune_objects() -> None:
    """Remove what no release names any more."""
    objects.prune_objects(now=timezone.now())


@scheduled
def prune_records() -> None:
    """Forget records that nothing needs."""
    pruning.prune_records(now=timezone.now())


@scheduled
def prune_nonces() -> None:
    """Forget nonces whose signatures are out of date."""
    nonces.prune_nonces(now=timezone.now())


@scheduled
def erase_openings() -> None:
    """Erase what the logs may tell no longer."""
    erasure.erase_openings(now=timezone.now())


@scheduled
def tend_hosted_lists() -> None:
    """Sign hosted lists again before they expire."""
    draft_work.tend_hosted_lists(now=timezone.now())


@scheduled
def clear_drafts() -> None:
    """Delete uploaded files that are of no more use."""
    draft_work.clear_drafts(now=timezone.now(), days=settings.HASHSHARE_DRAFT_DAYS)
