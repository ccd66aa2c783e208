"""Erasing what other hubs told of their members when its time is over, as the hub does with its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from federation.models import RemoteAcknowledgement, RemoteCount, RemoteMember
from hashshare.services.erasure import deleted, erased_before


def erase_evidence(*, now: datetime) -> dict[str, int]:
    """What was erased. The opening of a statement's leaf goes first (there), then the statement; the newest of each
    member stays, since it tells how things stand, but no longer which leaf it was.
    """
    until = erased_before(now)
    gone = RemoteAcknowledgement.objects.filter(taken_at__lt=until, leaf__row=None)
    gone.filter(leaf__isnull=False).update(leaf=None)
    return {
        "statements": deleted(gone.filter(Exists(newer()))),
        "counts": deleted(RemoteCount.objects.filter(served_at__lt=until)),
        "members": deleted(RemoteMember.objects.filter(~Exists(logged()), until__lt=until)),
    }


def newer() -> QuerySet[Any]:
    return RemoteAcknowledgement.objects.filter(member=OuterRef("member"), received_at__gt=OuterRef("received_at"))


def logged() -> QuerySet[Any]:
    """Of a member, statements whose opening is still there."""
    return RemoteAcknowledgement.objects.filter(member=OuterRef("pk"), leaf__isnull=False)
