"""What Celery runs for the federation. A task carries an id at most; what is to be done stands in the database."""

from __future__ import annotations

from django.utils import timezone

from federation.services import relaying
from hashshare.tasks import scheduled


@scheduled
def relay_requests() -> None:
    """Relay members' requests to the hubs where lists are at home, and follow what was decided there."""
    relaying.relay_to_every_peer(now=timezone.now())
