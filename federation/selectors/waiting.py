"""What was asked for between this hub and a peer and is not decided yet, both ways, as far as it is known here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from federation.models import MemberRequest, Members, Peer
from hashshare.models import Organisation, Subscription
from hashshare.wire.documents import write_time

MOST: Final = 100
"""Of each kind."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """`at` which hub it is decided, `there` or `here`. `who` asks: a member's short name, "" for the hub itself.
    `told`: when the peer took a member's request of this hub, None before; `refused`: why it did not. `has_it`: this
    hub granted it before the publisher wished to decide, and it keeps the list until that has.
    """

    at: str
    list: str
    who: str
    name: str
    since: datetime
    told: datetime | None = None
    refused: str = ""
    has_it: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "list": self.list,
            "organisation": self.who or None,
            "name": self.name,
            "since": write_time(self.since),
            "told": write_time(self.told) if self.told else None,
            "refused": self.refused,
            "has_it": self.has_it,
        }


def waiting_with(peer: Peer) -> list[Waiting]:
    """Of this hub's members for lists from the peer; of the peer, and of its members, for lists from here."""
    if peer.organisation_id is None:
        return []
    return [*_of_members_here(peer), *_of_the_peer(peer), *_of_its_members(peer)]


def _of_members_here(peer: Peer) -> list[Waiting]:
    asked_again = Q(state=Subscription.State.ACTIVE, relayed__told="requested", relayed__decided_at=None)
    undecided = Q(state=Subscription.State.REQUESTED) | asked_again & ~Q(list__taken_terms__members=Members.HUB)
    rows = Subscription.objects.filter(undecided, list__publisher__mirrored_from=peer.organisation_id)
    rows = rows.exclude(organisation__kind=Organisation.Kind.HUB)
    found = rows.select_related("organisation", "list__publisher", "list__taken_terms", "relayed")
    return [_of_member_here(row) for row in found.order_by("requested_at", "pk")[:MOST]]


def _of_member_here(row: Subscription) -> Waiting:
    taken, relayed = getattr(row.list, "taken_terms", None), getattr(row, "relayed", None)
    left = taken is not None and taken.members == Members.HUB
    told = relayed.told_at if relayed is not None and relayed.told and not relayed.refused and not left else None
    refused = relayed.refused if relayed is not None and not left else ""
    at, has_it = "here" if left else "there", row.state == Subscription.State.ACTIVE
    who = row.organisation
    return Waiting(at, row.list.name, who.slug, who.name, row.requested_at, told, refused, has_it)


def _of_the_peer(peer: Peer) -> list[Waiting]:
    rows = Subscription.objects.filter(state=Subscription.State.REQUESTED, organisation=peer.organisation_id)
    found = rows.select_related("list__publisher").order_by("requested_at", "pk")
    return [Waiting("here", row.list.name, "", peer.name, row.requested_at) for row in found[:MOST]]


def _of_its_members(peer: Peer) -> list[Waiting]:
    rows = MemberRequest.objects.filter(hub=peer.organisation_id, state=MemberRequest.State.REQUESTED)
    found = rows.select_related("list__publisher").order_by("requested_at", "pk")
    return [
        Waiting("here", row.list.name, f"{row.slug}@{peer.name}", row.name, row.requested_at) for row in found[:MOST]
    ]
