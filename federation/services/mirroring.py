"""One attempt at a job of kind MIRROR: claim it, copy the publisher, serve the copy in one transaction.

Whatever happens in between, what is served here stays as it was, and the next attempt goes on with what was fetched.
A failure is noted at the mirror, which pauses for longer after each in a row, so no peer makes this hub spin.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from federation.models import MirroredList, MirroredPublisher
from federation.selectors.mirrors import busy_with, wanted_lists
from federation.services.acknowledging import acknowledge_lists
from federation.services.connections import home_of, session_with
from federation.services.copying import ALARMING, Turn, TurnOverError, copy_publisher
from federation.services.homes import ready_home
from federation.services.objects import store_bytes
from federation.services.storing import serve_copy
from hashshare.client.polling import Head
from hashshare.models import Job, StoredObject
from hashshare.services.jobs import MAX_ATTEMPTS, Claim, LostClaim, claim_job, finish_job, heartbeat, requeue_job, send
from hashshare.services.problems import problem_document
from hashshare.wire import errors

logger = logging.getLogger(__name__)

MAX_FAILURES: Final = 4
"""Attempts after which an error that is neither the peer's nor the publisher's ends the job."""


def run_mirror_job(*, job_id: uuid.UUID, worker: str, task_id: str) -> None:
    """Does nothing when the job is over, in other hands, or another copy from that peer is on its way."""
    job = Job.objects.filter(pk=job_id, target__isnull=False).values("target")
    mirror = MirroredPublisher.objects.select_related("publisher", "peer__organisation").filter(pk__in=job).first()
    if mirror is None or busy_with(mirror.peer, but=job_id, now=timezone.now()):
        return
    claim = claim_job(job_id=job_id, worker=worker, task_id=task_id, now=timezone.now())
    if claim is None:
        return
    logger.info("Copying %s from %s, job %s, attempt %s.", mirror.publisher, mirror.peer, job_id, claim.job.attempts)
    try:
        with heartbeat(claim):
            attempt(claim, mirror)
    except LostClaim:
        logger.warning("Job %s went on to another worker.", job_id)
    wake_next(mirror, after=job_id)


def wake_next(mirror: MirroredPublisher, *, after: uuid.UUID) -> None:
    """The copy that waited for this one: without a word it would only be sent again by the sweep."""
    others = MirroredPublisher.objects.filter(peer=mirror.peer).values("pk")
    waiting = Job.objects.filter(kind=Job.Kind.MIRROR, state=Job.State.QUEUED, target__in=others).exclude(pk=after)
    job = waiting.order_by("created_at").first()
    if job is not None:
        send(job)


def attempt(claim: Claim, mirror: MirroredPublisher) -> None:
    try:
        if claim.job.attempts > MAX_ATTEMPTS:
            raise errors.HashshareError(f"{MAX_ATTEMPTS} workers ended while they copied {mirror.publisher}.")
        copy_and_serve(claim, mirror)
    except LostClaim:
        raise
    except TurnOverError:
        requeue_job(claim=claim, now=timezone.now())
    except errors.HashshareError as error:
        logger.warning("%s could not be copied from %s: %s", mirror.publisher, mirror.peer, error.message)
        fail(claim, mirror, error, timezone.now())
    except Exception:
        logger.exception("Job %s failed at attempt %s.", claim.job.pk, claim.job.attempts)
        if claim.job.attempts < MAX_FAILURES:
            requeue_job(claim=claim, now=timezone.now())
            return
        own = errors.HashshareError("The hub could not copy this publisher.", next_step="See the worker's log.")
        fail(claim, mirror, own, timezone.now())


def copy_and_serve(claim: Claim, mirror: MirroredPublisher) -> None:
    """Raises what is wrong with the copy, or keeps it from being made."""
    if mirror.state != MirroredPublisher.State.FOLLOWING:
        raise errors.Conflict(f"{mirror.publisher} is not followed: {mirror.get_state_display().lower()}.")
    wanted = list(wanted_lists(mirror))
    claimed = {row.list.tuf_id: (row.offered_version, row.offered_role_version) for row in wanted}
    home, session, domain = home_of(mirror.peer), session_with(mirror.peer), mirror.publisher.domain
    turn = Turn(seconds=settings.HASHSHARE_MIRROR_TURN, say=claim.progress)
    with home.lock(f"mirror-{domain}"):
        ready_home(home, mirror, now=timezone.now())
        heads = [_head(row) for row in wanted]
        copied = copy_publisher(
            session, home, domain, heads, root=mirror.root, turn=turn, has_major=_majors_here(mirror)
        )
        store_bytes(copied, {row.list.tuf_id: row.list for row in wanted}, timezone.now())
        serve_copy(claim=claim, mirror=mirror, copied=copied, claimed=claimed, now=timezone.now())
        acknowledge_lists(home=home, session=session, mirror=mirror, copied=copied)


def _head(row: MirroredList) -> Head:
    return Head(
        name=row.list.name,
        list_id=row.list.tuf_id,
        publisher=row.list.publisher.domain,
        role_version=row.offered_role_version,
        version=row.offered_version,
    )


def _majors_here(mirror: MirroredPublisher) -> frozenset[str]:
    rows = StoredObject.objects.filter(list__publisher=mirror.publisher, name__startswith="major-")
    return frozenset(rows.values_list("digest", flat=True))


@transaction.atomic
def fail(claim: Claim, mirror: MirroredPublisher, error: errors.HashshareError, now: datetime) -> None:
    """Note why at the mirror, which stops for a person to look if two truths were signed, and close the job."""
    claim.lock()
    locked, problem = MirroredPublisher.objects.select_for_update().get(pk=mirror.pk), problem_document(error)
    if isinstance(error, ALARMING) and locked.state == MirroredPublisher.State.FOLLOWING:
        locked.state = MirroredPublisher.State.ALARMED
    locked.trouble, locked.tried_at, locked.failures = problem, now, locked.failures + 1
    locked.save(update_fields=["state", "trouble", "tried_at", "failures"])
    finish_job(claim=claim, now=now, result=None, problem=problem)
