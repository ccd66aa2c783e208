"""The hubs that receive a publisher's list and what their members ask for, page by page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from federation.models import MemberRequest
from federation.selectors.onward import HubStanding, newest_of_hubs, standings
from hashshare.models import Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import own_list
from hashshare.wire.errors import UsageError

MOST: Final = 200
"""Lines of a page: hubs and requests together."""

_PLACE: Final = re.compile(r"([-a-zA-Z0-9_]{1,63})(?:(/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubPage:
    """`next`: what to ask for as `after`; "" when there is no more."""

    hubs: list[HubStanding]
    next: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: after `hub` (short name) and all of its requests; if it is `begun`, after those up to
    `request`, or before the first.
    """

    hub: str = ""
    begun: bool = False
    request: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises UsageError."""
        found = _PLACE.fullmatch(text)
        if text and found is None:
            raise UsageError("after is what the page before had as next.")
        return cls(found[1], bool(found[2]), found[3] or "") if found else cls()

    def __str__(self) -> str:
        return f"{self.hub}/{self.request}" if self.begun else self.hub


def page_of_hubs(*, caller: Caller, domain: str, slug: str, after: str, limit: int, now: datetime) -> HubPage:
    """Every hub that asked for the caller's list, by short name, with its newest subscription and its members'
    requests, the newest first: at most `limit` lines of both after that place ("": from the start). A hub whose
    requests do not fit stands on the next page again, with those that follow. Raises NotEntitled, UsageError.
    """
    found = own_list(caller=caller, domain=domain, slug=slug)
    place = Place.parse(after)
    rows = sorted(newest_of_hubs(Subscription.objects.filter(list=found)), key=lambda row: row.organisation.slug)
    taken, place = _cut(rows, place, limit)
    requests = {row.organisation_id: said for row, said in taken}
    hubs = standings(found, [row for row, _ in taken], now=now)
    for standing in hubs:
        standing.requests.extend(requests[standing.organisation.pk])
    return HubPage(hubs, str(place))


def _cut(
    rows: Iterable[Subscription], place: Place, room: int
) -> tuple[list[tuple[Subscription, list[MemberRequest]]], Place]:
    """The hubs of a page, each with its requests, and where the page ends: nowhere (no hub) when nothing is left."""
    taken: list[tuple[Subscription, list[MemberRequest]]] = []
    for row in rows:
        name = row.organisation.slug
        again = place.begun and name == place.hub
        if name < place.hub or (name == place.hub and not again):
            continue
        if not room:
            return taken, place
        room -= not again
        requests = list(_requests(row, place.request if again else "")[: room + 1])
        taken.append((row, requests[:room]))
        if len(requests) > room:
            last = str(requests[room - 1].pk) if room else ""
            return taken, Place(name, begun=True, request=last)
        room, place = room - len(requests), Place(name)
    return taken, Place()


def _requests(of: Subscription, after: str) -> QuerySet[MemberRequest]:
    """By when they came here, which never changes. Raises UsageError for a place that is none."""
    rows = MemberRequest.objects.filter(list=of.list_id, hub=of.organisation_id).order_by("-received_at", "pk")
    if not after:
        return rows
    last = rows.filter(pk=after).first()
    if last is None:
        raise UsageError("after is what the page before had as next.")
    return rows.filter(Q(received_at__lt=last.received_at) | Q(received_at=last.received_at, pk__gt=last.pk))
