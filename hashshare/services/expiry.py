"""Ending what has an end date, and warning of signatures that near theirs."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from hashshare.models import AccessKey, Invitation, OrganisationKey, Subscription
from hashshare.selectors.freshness import stale_feeds

logger = logging.getLogger(__name__)

INVITATIONS_KEPT = timedelta(days=90)


def expire_due(*, now: datetime) -> dict[str, int]:
    """What was ended, by kind. Everything here is refused by its date anyway; this makes the record say so.

    Compare-and-set, so that running it twice or at the same time ends nothing twice.
    """
    subscriptions = Subscription.objects.filter(state=Subscription.State.ACTIVE, ends_at__lte=now)
    keys = OrganisationKey.objects.filter(revoked_at=None, not_after__lte=now)
    access_keys = AccessKey.objects.filter(revoked_at=None, expires_at__lte=now)
    invitations = Invitation.objects.filter(used_at=None, expires_at__lte=now - INVITATIONS_KEPT)
    ended = {
        "subscriptions": subscriptions.update(state=Subscription.State.ENDED, closed_at=now),
        "keys": keys.update(revoked_at=now),
        "access_keys": access_keys.update(revoked_at=now),
        "invitations": invitations.delete()[0],
    }
    warn_of_stale_feeds(now)
    return ended


def warn_of_stale_feeds(now: datetime) -> None:
    for feed in stale_feeds(now=now):
        logger.warning(
            "%s: %d %% of the feed role's life is over; it expires at %s.", feed.list, feed.percent, feed.expires_at
        )
