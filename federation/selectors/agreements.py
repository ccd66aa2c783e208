"""Agreements as they stand: which lists two hubs' operators let cross."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from federation.models import Agreement, Peer


def in_force(peer: Peer, direction: str, now: datetime) -> QuerySet[Agreement]:
    lasting = Q(until=None) | Q(until__gt=now)
    return Agreement.objects.filter(lasting, peer=peer, direction=direction, ended_at=None)


def agreement_for(agreements: Iterable[Agreement], domain: str, slug: str) -> Agreement | None:
    """The one that lets the list cross; what was agreed of the list itself comes before what was of its publisher."""
    found = [each for each in agreements if each.publisher == domain and each.slug in ("", slug)]
    return max(found, key=lambda each: each.slug != "", default=None)
