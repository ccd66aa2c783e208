"""What a peer is still to be told of the requests of this hub's members for its lists."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, Q

from federation.models import Members, Peer
from hashshare.models import Organisation, Subscription
from hashshare.wire.documents import write_time
from hashshare.wire.plain_text import in_a_line

MOST: Final = 100
"""Told at once."""


@dataclass(frozen=True, slots=True)
class Untold:
    """`state`: requested, suspended or closed. Of the organisation, this is all that leaves the hub."""

    id: uuid.UUID
    list: str
    slug: str
    name: str
    country: str
    sector: str
    kind: str
    terms_digest: str
    requested_at: datetime
    state: str

    def to_json(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "list": self.list,
            "organisation": {
                "slug": self.slug,
                "name": self.name,
                "country": self.country,
                "sector": self.sector,
                "kind": self.kind,
            },
            "terms_digest": self.terms_digest,
            "requested_at": write_time(self.requested_at),
            "state": self.state,
        }


def untold(peer: Peer) -> list[Untold]:
    """Requests with the terms accepted, for lists whose publisher wants to be asked for each, oldest first; and what
    has become of those that were told before.
    """
    still_open = Q(state__in=["requested", "active"])
    suspended = Q(organisation__state=Organisation.State.SUSPENDED)
    as_told = Q(relayed__told="suspended") & suspended | Q(relayed__told="requested") & ~suspended
    stands = still_open & Q(relayed__digest=F("terms_digest")) & as_told
    new = still_open & (Q(relayed=None) | Q(relayed__told=""))
    changed = Q(relayed__told__in=["requested", "suspended"]) & ~stands
    copied = Q(list__publisher__mirrored_from=peer.organisation_id, list__closed_at=None)
    rows = Subscription.objects.filter(copied, new | changed)
    rows = rows.exclude(list__taken_terms__members=Members.HUB).exclude(terms_accepted_at=None)
    rows = rows.exclude(organisation__kind=Organisation.Kind.HUB).select_related("organisation", "list__publisher")
    return [_said(row) for row in rows.order_by("requested_at", "pk")[:MOST]]


def _state(row: Subscription) -> str:
    if row.state not in ("requested", "active"):
        return "closed"
    return "suspended" if row.organisation.state == Organisation.State.SUSPENDED else "requested"


def _said(row: Subscription) -> Untold:
    organisation = row.organisation
    return Untold(
        row.pk,
        row.list.name,
        organisation.slug,
        in_a_line(organisation.name),
        organisation.country,
        in_a_line(organisation.sector),
        organisation.kind,
        row.terms_digest,
        row.requested_at,
        _state(row),
    )
