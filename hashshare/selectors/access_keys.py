"""An organisation's access keys, without their secrets."""

from __future__ import annotations

from django.db.models import QuerySet

from hashshare.models import AccessKey
from hashshare.selectors.callers import Caller


def access_keys(*, caller: Caller) -> QuerySet[AccessKey]:
    """The caller's own, revoked and expired ones included."""
    return AccessKey.objects.filter(organisation=caller.organisation).order_by("created_at")
