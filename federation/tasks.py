"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""

from __future__ import annotations

from django.utils import timezone

from federation.services import checks, cosigning, watching
from hashshare.tasks import scheduled


@scheduled
def have_cosigned() -> None:
    """Ask the witnesses about what the public is shown."""
    cosigning.have_cosigned(now=timezone.now())


@scheduled
def watch_peers() -> None:
    """Compare what peers show with what they showed."""
    watching.watch_peers(now=timezone.now())


@scheduled
def check_peers() -> None:
    """See whether the hubs that were accepted still answer at their addresses."""
    checks.check_peers(now=timezone.now())
