"""Jobs over drafts: the dry run, publishing a hosted list's approved file, and tending hosted lists.

Like every job they are claimed with a lease and may be begun again at any point: a dry run changes nothing, and a
publication that went through is found to have left nothing to do.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hashshare.models import Commit, Draft, HashList, Job, Release
from hashshare.selectors.drafts import drafts_to_drop, drafts_to_purge
from hashshare.selectors.metadata import newest
from hashshare.services.commits import served_manifest
from hashshare.services.draft_checks import check_draft
from hashshare.services.hosted_work import Outcome, is_in_the_way, publish_hosted, tend_hosted
from hashshare.services.jobs import (
    MAX_ATTEMPTS,
    Claim,
    LostClaim,
    claim_job,
    create_job,
    finish_job,
    heartbeat,
    requeue_job,
    send,
)
from hashshare.services.problems import problem_document
from hashshare.storage import object_store
from hashshare.storage.keys import draft_key
from hashshare.wire import errors
from hashshare.wire.chain import base_due
from hashshare.wire.repository.metadata import FEED_LIFE

logger = logging.getLogger(__name__)

MAX_FAILURES: Final = 4
"""Attempts after which trouble of the hub's own ends a job instead of being tried again."""

KEPT_UNFINISHED: Final = timedelta(days=1)

NIGHT: Final = timedelta(days=1)
"""A feed is signed again by so much before half of its life is over, when people would be warned."""


def run_draft_job(*, job_id: uuid.UUID, worker: str, task_id: str) -> None:
    """Does nothing when the job is over or in other hands."""
    claim = claim_job(job_id=job_id, worker=worker, task_id=task_id, now=timezone.now())
    if claim is None:
        return
    try:
        if claim.job.attempts > MAX_ATTEMPTS:
            _refuse(
                claim,
                errors.HashshareError(
                    f"The hub tried {MAX_ATTEMPTS} times, and each time its worker ended before it was done.",
                    next_step="Tell the hub's operator: the worker may lack memory.",
                ),
            )
            return
        with heartbeat(claim):
            WORK[claim.job.kind](claim)
    except LostClaim:
        logger.warning("Job %s went on to another worker, or is no longer needed.", claim.job.pk)
    except Exception:
        logger.exception("Job %s failed at attempt %s.", claim.job.pk, claim.job.attempts)
        if claim.job.attempts < MAX_FAILURES:
            requeue_job(claim=claim, now=timezone.now())
        else:
            _refuse(claim, errors.HashshareError("The hub could not do it.", next_step="Tell the hub's operator."))


def follow_commit(*, job_id: uuid.UUID) -> None:
    """Go on with the draft whose release a job has just decided, instead of waiting for the sweep."""
    for draft in Draft.objects.filter(commit_job=job_id, state=Draft.State.PUBLISHING).select_related("job"):
        if draft.job is not None:
            send(draft.job)


def _draft(claim: Claim) -> Draft | None:
    rows = Draft.objects.select_related("list__publisher__organisation", "commit_job")
    return rows.filter(job=claim.job).first()


def _finish(claim: Claim, **fields: Any) -> None:
    """The draft, if it is still with this job, and the job, in one transaction. Raises LostClaim."""
    with transaction.atomic():
        claim.lock()
        rows = Draft.objects.filter(job=claim.job.pk, state__in=(Draft.State.CHECKING, Draft.State.PUBLISHING))
        rows.update(revision=F("revision") + 1, **fields)
        finish_job(claim=claim, now=timezone.now(), result=None, problem=fields.get("problem"))


def _refuse(claim: Claim, error: errors.HashshareError) -> None:
    """Back to the analyst, with what is wrong."""
    checking = claim.job.kind == Job.Kind.CHECK_DRAFT
    state = Draft.State.UPLOADED if checking else Draft.State.FAILED
    _finish(claim, state=state, problem=problem_document(error))


def _wait(claim: Claim) -> None:
    """Until something else has ended; that this was looked at is no attempt."""
    claim.mine().update(attempts=F("attempts") - 1)
    requeue_job(claim=claim, now=timezone.now())


# --- The dry run ------------------------------------------------------------------------------------------------


def check(claim: Claim) -> None:
    draft = _draft(claim)
    if draft is None or draft.state != Draft.State.CHECKING:
        finish_job(claim=claim, now=timezone.now(), result=None, problem=None)
        return
    try:
        found, faults = check_draft(draft, progress=claim.progress, now=timezone.now())
    except errors.HashshareError as error:
        if isinstance(error, LostClaim):
            raise
        _refuse(claim, error)
        return
    _finish(claim, state=Draft.State.CHECKED, findings=found, errors_digest=faults.digest, problem=None)


# --- Publishing -------------------------------------------------------------------------------------------------


def publish(claim: Claim) -> None:
    """One step of it: what was handed over is decided by another job, and then this one is woken again."""
    draft = _draft(claim)
    if draft is None or draft.state != Draft.State.PUBLISHING:
        finish_job(claim=claim, now=timezone.now(), result=None, problem=None)
        return
    commit = Commit.objects.filter(job=draft.commit_job).first() if draft.commit_job_id else None
    if commit is not None and commit.state == Commit.State.REJECTED:
        _finish(claim, state=Draft.State.FAILED, problem=commit.problem, commit_job=None)
    elif commit is not None and commit.state == Commit.State.ACCEPTED and (release := _release_of(commit)):
        _published(claim, release)
    elif is_in_the_way(draft.list):
        claim.progress(0, 0, "Being verified" if commit else "Waiting for another release of the list")
        _wait(claim)
    else:
        _go_on(claim, draft)


def _go_on(claim: Claim, draft: Draft) -> None:
    try:
        outcome = publish_hosted(draft, progress=claim.progress, now=timezone.now())
    except errors.HashshareError as error:
        if isinstance(error, LostClaim):
            raise
        _refuse(claim, error)
        return
    if outcome.problem:
        _stop_or_wait(claim, outcome)
    elif outcome.busy:
        _wait(claim)
    elif outcome.handed:
        claim.progress(0, 0, "Being verified")
        Draft.objects.filter(pk=draft.pk, job=claim.job.pk).update(commit_job=outcome.handed)
        _wait(claim)
        if not is_in_the_way(draft.list):
            send(claim.job)  # it was decided before anybody could have been told
    else:
        version = outcome.version or 0
        rows = Release.objects.filter(list=draft.list, version=version, state=Release.State.PUBLISHED)
        _published(claim, rows.first())


def _stop_or_wait(claim: Claim, outcome: Outcome) -> None:
    """A hub that does not answer itself at the moment is asked again; all else is the analysts' business."""
    found = outcome.problem
    if found.get("later") and claim.job.attempts < MAX_FAILURES:
        requeue_job(claim=claim, now=timezone.now())
        return
    kind = errors.error_for(str(found.get("slug"))) or errors.HashshareError
    _refuse(claim, kind(str(found.get("message")), next_step=str(found.get("next_step") or "")))


def _release_of(commit: Commit) -> Release | None:
    return Release.objects.filter(commit=commit, state=Release.State.PUBLISHED).first()


def _published(claim: Claim, release: Release | None) -> None:
    _finish(claim, state=Draft.State.PUBLISHED, release=release, closed_at=timezone.now(), problem=None)
    if (draft := Draft.objects.filter(job=claim.job.pk, state=Draft.State.PUBLISHED).first()) is not None:
        purge_draft(draft, now=timezone.now())


# --- Tending ----------------------------------------------------------------------------------------------------


def tend(claim: Claim) -> None:
    hash_list = HashList.objects.select_related("publisher__organisation").get(pk=claim.job.target or uuid.UUID(int=0))
    problem = None
    if hash_list.hosted and not is_in_the_way(hash_list) and not _is_publishing(hash_list):
        try:
            outcome = tend_hosted(hash_list, progress=claim.progress, now=timezone.now())
        except errors.HashshareError as error:
            if isinstance(error, LostClaim):
                raise
            problem = problem_document(error)
        else:
            problem = outcome.problem or None
    finish_job(claim=claim, now=timezone.now(), result=None, problem=problem)


def tend_hosted_lists(*, now: datetime) -> int:
    """A job for each hosted list whose signature or base is due and that no job tends yet; how many."""
    rows = HashList.objects.select_related("publisher__organisation").filter(hosted=True, version__gt=0)
    tended = Job.objects.filter(
        kind=Job.Kind.TEND_HOSTED, state__in=(Job.State.QUEUED, Job.State.RUNNING), target__isnull=False
    )
    due = [row for row in rows.exclude(pk__in=tended.values("target")) if _is_due(row, now)]
    for row in due:
        create_job(kind=Job.Kind.TEND_HOSTED, organisation=row.publisher.organisation, target=row.pk, now=now)
    return len(due)


def _is_due(hash_list: HashList, now: datetime) -> bool:
    if _is_publishing(hash_list):
        return False
    feed = newest(publisher=hash_list.publisher, role=hash_list.tuf_id)
    if feed is None or feed.expires_at - now < FEED_LIFE / 2 + NIGHT:
        return True
    manifest = served_manifest(hash_list)
    return manifest is not None and base_due(manifest, now=now) is not None


def _is_publishing(hash_list: HashList) -> bool:
    return Draft.objects.filter(list=hash_list, state=Draft.State.PUBLISHING).exists()


WORK: Final[dict[str, Callable[[Claim], None]]] = {
    Job.Kind.CHECK_DRAFT: check,
    Job.Kind.PUBLISH_DRAFT: publish,
    Job.Kind.TEND_HOSTED: tend,
}


# --- Files ------------------------------------------------------------------------------------------------------


def clear_drafts(*, now: datetime, days: int) -> int:
    """Throw away uploads that came to nothing in `days`, delete the files of all that are closed, and what killed
    processes left behind; how many drafts lost their files.
    """
    old = drafts_to_drop(before=now - timedelta(days=days))
    old.update(state=Draft.State.ABANDONED, closed_at=now, revision=F("revision") + 1)
    _drop_leftovers(before=now - KEPT_UNFINISHED)
    return sum(purge_draft(draft, now=now) for draft in drafts_to_purge())


def purge_draft(draft: Draft, *, now: datetime) -> bool:
    """Delete a draft's files, and the entries that its findings show."""
    object_store().delete(draft_key(draft.digest, draft.pk))
    if draft.errors_digest:
        object_store().delete(draft_key(draft.errors_digest, draft.pk, faults=True))
    with transaction.atomic():
        row = Draft.objects.select_for_update().filter(pk=draft.pk, purged_at=None).first()
        if row is None:
            return False
        kept = row.findings and {**row.findings, "withdrawals": None}
        return bool(Draft.objects.filter(pk=row.pk).update(purged_at=now, findings=kept))


def _drop_leftovers(*, before: datetime) -> None:
    """Of a web server or worker that was killed with a file in hand."""
    for path in Path(settings.HASHSHARE_INCOMING).iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime < before.timestamp():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
