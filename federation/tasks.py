"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""

from __future__ import annotations

import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from federation.services import checks, cosigning, evidence, mirroring, polling, relaying, reporting, watching
from hashshare.tasks import process_of, scheduled, unless_restored


@shared_task(bind=True, name="federation.tasks.mirror")
@unless_restored
def mirror(self: Any, job_id: str) -> None:
    """Copy a publisher from a peer."""
    mirroring.run_mirror_job(job_id=uuid.UUID(job_id), worker=process_of(self), task_id=str(self.request.id))


@scheduled
def mirror_peers() -> None:
    """Ask peers for what is new."""
    polling.mirror_peers(now=timezone.now())


@scheduled
def relay_requests() -> None:
    """Relay members' requests to the hubs where lists are at home, and follow what was decided there."""
    relaying.relay_to_every_peer(now=timezone.now())


@scheduled
def check_peers() -> None:
    """See whether the hubs that were accepted still answer at their addresses."""
    checks.check_peers(now=timezone.now())


@scheduled
def send_reports() -> None:
    """Tell the hubs that lists come from how far withdrawals got here."""
    reporting.send_reports(now=timezone.now())


@scheduled
def erase_evidence() -> None:
    """Erase what may be kept no longer of other hubs' members."""
    evidence.erase_evidence(now=timezone.now())


@scheduled
def have_cosigned() -> None:
    """Ask the witnesses about what the public is shown."""
    cosigning.have_cosigned(now=timezone.now())


@scheduled
def watch_peers() -> None:
    """Compare what peers show with what they showed."""
    watching.watch_peers(now=timezone.now())
