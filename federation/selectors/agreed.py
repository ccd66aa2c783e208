"""What two hubs agreed to tell one another of a list."""

from __future__ import annotations

from federation.models import Agreement, Peer, TakenTerms
from federation.reports import COUNTS
from hashshare.models import HashList


def narrowed(agreed: str, wanted: str) -> str:
    """What is told where the publisher wants something of its own ("" if not): it can have less than was agreed."""
    return COUNTS if COUNTS in (agreed, wanted) else agreed


def agreed_evidence(*, peer: Peer, direction: str, hash_list: HashList) -> str:
    """Of the newest agreement about the list itself, else about all of its publisher's, be it over: what was given
    under it may still be reported of. Without one: counts, which name nobody.
    """
    rows = Agreement.objects.filter(peer=peer, direction=direction, publisher=hash_list.publisher.domain)
    rows = rows.filter(slug__in=["", hash_list.slug]).order_by("-slug", "-created_at")
    return rows.values_list("evidence", flat=True).first() or COUNTS


def told_evidence(*, peer: Peer, hash_list: HashList) -> str:
    """What this hub tells the peer of its members, of a list that comes from there."""
    wanted = TakenTerms.objects.filter(list=hash_list).values_list("evidence", flat=True).first() or ""
    return narrowed(agreed_evidence(peer=peer, direction=Agreement.Direction.IN, hash_list=hash_list), wanted)
