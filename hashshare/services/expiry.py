"""Ending what has an end date: subscriptions, keys, invitations, the sessions of people."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import F

from hashshare.models import AccessKey, Invitation, OrganisationKey, Subscription

INVITATIONS_KEPT = timedelta(days=90)


def expire_due(*, now: datetime) -> dict[str, int]:
    """What was ended, by kind. Everything here is refused by its date anyway; this makes the record say so.

    Each statement compares and sets, so that running it twice, late, or twice at the same time ends nothing twice. What
    is ended late is noted with the moment at which it did end, since that is when it was first refused.
    """
    subscriptions = Subscription.objects.filter(state=Subscription.State.ACTIVE, ends_at__lte=now)
    keys = OrganisationKey.objects.filter(revoked_at=None, not_after__lte=now)
    access_keys = AccessKey.objects.filter(revoked_at=None, expires_at__lte=now)
    invitations = Invitation.objects.filter(used_at=None, expires_at__lte=now - INVITATIONS_KEPT)
    return {
        "subscriptions": subscriptions.update(state=Subscription.State.ENDED, closed_at=F("ends_at")),
        "keys": keys.update(revoked_at=F("not_after")),
        "access_keys": access_keys.update(revoked_at=F("expires_at")),
        "invitations": invitations.delete()[0],
        "sessions": Session.objects.filter(expire_date__lte=now).delete()[0],
    }
