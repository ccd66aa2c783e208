"""Agreements as they are read. Whether a list may cross is decided with the publisher's policy, in `policy`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from federation.models import Agreement, Peer
from hashshare.wire import errors


def agreements_with(*, peer: Peer) -> QuerySet[Agreement]:
    """Those that nobody ended, those past their date included."""
    return Agreement.objects.filter(peer=peer, ended_at=None).select_related("peer")


def agreements_in_force(*, now: datetime) -> QuerySet[Agreement]:
    """With every peer, whatever its state."""
    return Agreement.objects.filter(Q(until=None) | Q(until__gt=now), ended_at=None).select_related("peer")


def agreement_for(agreements: Iterable[Agreement], domain: str, slug: str) -> Agreement | None:
    """The one that lets the list cross; what was agreed of the list itself comes before what was of its publisher."""
    found = [each for each in agreements if each.publisher == domain and each.slug in ("", slug)]
    return max(found, key=lambda each: each.slug != "", default=None)


def standing_agreement(*, peer: Peer, direction: str, publisher: str, slug: str) -> Agreement | None:
    """About exactly that, unless somebody ended it; at most one."""
    return agreements_with(peer=peer).filter(direction=direction, publisher=publisher, slug=slug).first()


def split_subject(text: str) -> tuple[str, str]:
    """`aurora.example/images` or `aurora.example` as publisher and list; the list is empty for all. Raises UsageError,
    also for a list that was left out after the slash: all of them would be more than was meant.
    """
    publisher, slash, slug = text.strip().lower().partition("/")
    if not publisher or (slash and not slug):
        raise errors.UsageError(f"{text[:80]!r} is neither a publisher nor one of its lists.")
    return publisher, slug
