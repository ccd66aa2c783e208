"""What is told of members for a list that crosses between two hubs: as the hubs agreed and as its publisher chose."""

from __future__ import annotations

from federation.models import Agreement, HubTerms, Peer, TakenTerms
from federation.reports import COUNTS, DOCUMENTS
from hashshare.models import HashList


def agreed_evidence(*, peer: Peer, direction: str, hash_list: HashList) -> str:
    """Documents where both hubs and the publisher want them, else counts, which name nobody."""
    chosen = _chosen_here(peer, hash_list) if direction == Agreement.Direction.OUT else _chosen_there(hash_list)
    return DOCUMENTS if _agreed(peer, direction, hash_list) == DOCUMENTS and chosen != COUNTS else COUNTS


def _agreed(peer: Peer, direction: str, hash_list: HashList) -> str | None:
    """By the newest agreement about the list itself, else about all of its publisher's, be it over: what was given
    under it may still be reported of.
    """
    rows = Agreement.objects.filter(peer=peer, direction=direction, publisher=hash_list.publisher.domain)
    rows = rows.filter(slug__in=["", hash_list.slug]).order_by("-slug", "-created_at")
    return rows.values_list("evidence", flat=True).first()


def _chosen_here(peer: Peer, hash_list: HashList) -> str | None:
    """By the publisher, for the peer's newest subscription."""
    rows = HubTerms.objects.filter(subscription__list=hash_list, subscription__organisation=peer.organisation)
    return rows.order_by("-subscription__requested_at").values_list("evidence", flat=True).first()


def _chosen_there(hash_list: HashList) -> str | None:
    """As the list's home last said."""
    return TakenTerms.objects.filter(list=hash_list).values_list("evidence", flat=True).first()
