"""What two hubs agreed to tell one another of a list."""

from __future__ import annotations

from federation.models import Agreement, Peer
from federation.reports import COUNTS
from hashshare.models import HashList


def agreed_evidence(*, peer: Peer, direction: str, hash_list: HashList) -> str:
    """Of the newest agreement about the list itself, else about all of its publisher's, be it over: what was given
    under it may still be reported of. Without one: counts, which name nobody.
    """
    rows = Agreement.objects.filter(peer=peer, direction=direction, publisher=hash_list.publisher.domain)
    rows = rows.filter(slug__in=["", hash_list.slug]).order_by("-slug", "-created_at")
    return rows.values_list("evidence", flat=True).first() or COUNTS
