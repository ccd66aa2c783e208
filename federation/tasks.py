"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""

from __future__ import annotations

from django.utils import timezone

from federation.services import evidence, reporting
from hashshare.tasks import scheduled


@scheduled
def send_reports() -> None:
    """Tell the hubs that lists come from how far withdrawals got here."""
    reporting.send_reports(now=timezone.now())


@scheduled
def erase_evidence() -> None:
    """Erase what may be kept no longer of other hubs' members."""
    evidence.erase_evidence(now=timezone.now())
