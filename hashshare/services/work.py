"""One attempt at a job: claim it, judge the commit, then accept or reject it in one transaction.

Whatever happens in between, the commit stays pending and the job unfinished, so that the next attempt starts afresh.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from hashshare.models import Commit, Job
from hashshare.services.jobs import MAX_ATTEMPTS, Claim, LostClaim, claim_job, heartbeat, requeue_job
from hashshare.services.parts import divide_job, finish_part, first_problem, parts_of, waiting_before_parts
from hashshare.services.problems import problem_document
from hashshare.services.publication import accept_metadata, publish_release, reject_commit
from hashshare.services.verification import Apart, judge_shard, verify_content
from hashshare.wire import errors

logger = logging.getLogger(__name__)

MAX_FAILURES = 4
"""Attempts after which an error that is not the committer's ends the job instead of being tried again."""


class RefusedPartError(Exception):
    """A part of the work found what the whole is rejected for."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail"))
        self.problem = problem


def run_job(*, job_id: uuid.UUID, worker: str, task_id: str) -> None:
    """Does nothing when the job is over or in other hands, so a message may arrive any number of times."""
    claim = claim_job(job_id=job_id, worker=worker, task_id=task_id, now=timezone.now())
    if claim is None:
        return
    commit = Commit.objects.select_related("publisher", "list__publisher", "job").get(job=claim.job.parent_id or job_id)
    what = f"{commit.list or commit.publisher}{'' if claim.job.number is None else f', shard {claim.job.number}'}"
    logger.info("Verifying %s, job %s, attempt %s.", what, job_id, claim.job.attempts)
    try:
        with heartbeat(claim):
            attempt(claim, commit)
    except LostClaim:
        logger.warning("Job %s went on to another worker, or is no longer needed.", claim.job.pk)


def run_part(*, job_id: uuid.UUID, worker: str, task_id: str) -> None:
    """`run_job` for a part, after whatever is new and whole: a large base does not hold up small releases."""
    for job in waiting_before_parts():
        run_job(job_id=job.pk, worker=worker, task_id=task_id)
    run_job(job_id=job_id, worker=worker, task_id=task_id)


def attempt(claim: Claim, commit: Commit) -> None:
    try:
        if claim.job.attempts > MAX_ATTEMPTS:
            raise killer_of_workers(commit)
        decide(claim, commit, timezone.now())
    except LostClaim:
        raise
    except RefusedPartError as refused:
        refuse(claim, commit, refused.problem)
    except errors.HashshareError as error:
        refuse(claim, commit, problem_document(error))
    except Exception:
        logger.exception("Job %s failed at attempt %s.", claim.job.pk, claim.job.attempts)
        give_up_or_requeue(claim, commit)


def killer_of_workers(commit: Commit) -> errors.HashshareError:
    """What a commit is refused for that nobody lived to judge. The log names the list, the job its workers."""
    logger.error("Gave up a commit to %s: %s workers ended while at it.", commit.list or commit.publisher, MAX_ATTEMPTS)
    return errors.HashshareError(
        f"The hub tried {MAX_ATTEMPTS} times to verify this commit, and each time its worker ended before it was done.",
        next_step="Tell the hub's operator: the worker may lack memory. Publish again when they have found out why.",
    )


def decide(claim: Claim, commit: Commit, now: datetime) -> None:
    """Raises what is wrong with the commit."""
    job = claim.job
    if job.kind == Job.Kind.APPLY_METADATA or commit.list is None:
        accept_metadata(claim=claim, commit=commit, now=now)
        return
    if job.number is not None:
        judged = judge_shard(commit=commit, hash_list=commit.list, number=job.number, progress=claim.progress, now=now)
        finish_part(claim=claim, now=timezone.now(), result=judged)
        return
    if problem := first_problem(job):
        raise RefusedPartError(problem)
    divided = parts_of(job).exists()
    content = verify_content(
        commit=commit, hash_list=commit.list, progress=claim.progress, now=now, shards_judged=divided
    )
    if isinstance(content, Apart):
        kind, message = Job.Kind.VERIFY_SHARD, "Checking the shards of the base"
        divide_job(claim=claim, kind=kind, parts=content.shards, message=message, now=timezone.now())
        return
    publish_release(claim=claim, commit=commit, list_id=commit.list.pk, content=content, now=timezone.now())


def refuse(claim: Claim, commit: Commit, problem: dict[str, Any]) -> None:
    if claim.job.parent_id is None:
        reject_commit(claim=claim, commit=commit, problem=problem, now=timezone.now())
    else:
        finish_part(claim=claim, problem=problem, now=timezone.now())


def give_up_or_requeue(claim: Claim, commit: Commit) -> None:
    """Trouble of the hub's own, such as a full disk, is tried again by the sweep, a few times."""
    if claim.job.attempts < MAX_FAILURES:
        requeue_job(claim=claim, now=timezone.now())
        return
    error = errors.HashshareError("The hub could not verify this commit.", next_step="Tell the hub's operator.")
    refuse(claim, commit, problem_document(error))
