"""What two hubs agreed to tell one another of a list."""

from __future__ import annotations

from django.db.models import Q
from django.db.models.functions import Now

from federation.models import Agreement, HubTerms, Peer, TakenTerms
from federation.reports import COUNTS
from hashshare.models import HashList


def narrowed(agreed: str, wanted: str) -> str:
    """What is told where the publisher wants something of its own ("" if not): it can have less than was agreed."""
    return COUNTS if COUNTS in (agreed, wanted) else agreed


def agreed_evidence(*, peer: Peer, direction: str, hash_list: HashList) -> str:
    """Of the agreement about the list itself that is in force, else about all of its publisher's. Where none is, of the
    newest that is over: what was given under it may still be reported of. Without one: counts, which name nobody.
    """
    rows = Agreement.objects.filter(peer=peer, direction=direction, publisher=hash_list.publisher.domain)
    rows = rows.filter(slug__in=["", hash_list.slug])
    standing = rows.filter(Q(until=None) | Q(until__gt=Now()), ended_at=None).order_by("-slug")
    rows = standing if standing.exists() else rows.order_by("-slug", "-created_at")
    return rows.values_list("evidence", flat=True).first() or COUNTS


def told_evidence(*, peer: Peer, hash_list: HashList) -> str:
    """What this hub tells the peer of its members, of a list that comes from there."""
    wanted = TakenTerms.objects.filter(list=hash_list).values_list("evidence", flat=True).first() or ""
    return narrowed(agreed_evidence(peer=peer, direction=Agreement.Direction.IN, hash_list=hash_list), wanted)


def taken_evidence(*, peer: Peer, hash_list: HashList) -> str:
    """What the peer may tell this hub of its members, of a list that it has from here."""
    rows = HubTerms.objects.filter(subscription__list=hash_list, subscription__organisation=peer.organisation)
    wanted = rows.order_by("-subscription__requested_at").values_list("evidence", flat=True).first() or ""
    return narrowed(agreed_evidence(peer=peer, direction=Agreement.Direction.OUT, hash_list=hash_list), wanted)
