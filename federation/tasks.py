"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""

from __future__ import annotations

from django.utils import timezone

from federation.services import checks
from hashshare.tasks import scheduled


@scheduled
def check_peers() -> None:
    """See whether the hubs that were accepted still answer at their addresses."""
    checks.check_peers(now=timezone.now())
