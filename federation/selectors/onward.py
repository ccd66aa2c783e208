"""Lists that other hubs are subscribed to, as their publisher sees them, and as these hubs are told."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import Count, Q, QuerySet

from federation import policy as rules
from federation.models import HubTerms, MemberRequest, Members, Peer
from federation.selectors.crossing import judge_giving
from federation.selectors.peers import peer_of
from hashshare.models import HashList, Organisation, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import in_force

MOST_DECISIONS: Final = 200
"""In one answer."""

MOST_LISTS: Final = 200
"""On a page."""

OPEN: Final = (MemberRequest.State.REQUESTED, MemberRequest.State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the publisher chose for a hub: see `HubTerms`."""

    members: str = Members.EACH
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class HubStanding:
    """A hub that asked for a list or receives it. `crosses`: why nothing may go to it, "" if it may; `waiting`: how
    many of its members' requests wait for a decision. `requests` are told by page (selectors/hub_pages.py).
    """

    name: str
    organisation: Organisation
    subscription: Subscription
    terms: Terms
    crosses: str
    waiting: int
    requests: list[MemberRequest] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.subscription.state in (Subscription.State.REQUESTED, Subscription.State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Told:
    """What a hub is told of a list that it is or was subscribed to."""

    list: str
    given: bool
    why: str
    terms: Terms


def terms_of(subscription: Subscription) -> Terms:
    row = HubTerms.objects.filter(subscription=subscription).first()
    return Terms(row.members, row.evidence) if row is not None else Terms()


def terms_for(peer: Peer, found: HashList) -> Terms:
    """The same by the list, of the peer's subscription that is open."""
    row = HubTerms.objects.filter(
        subscription__list=found, subscription__organisation=peer.organisation_id, subscription__state="active"
    ).first()
    return Terms(row.members, row.evidence) if row is not None else Terms()


def standings(found: HashList, rows: Iterable[Subscription], *, now: datetime) -> list[HubStanding]:
    """How the hubs with these subscriptions to the list stand, by name."""
    asked = MemberRequest.objects.filter(list=found, state=MemberRequest.State.REQUESTED)
    waiting = dict(asked.order_by().values_list("hub").annotate(Count("pk")))
    peers = {peer.organisation_id: peer for peer in Peer.objects.exclude(organisation=None)}
    return sorted(
        (
            HubStanding(
                peers[row.organisation_id].name if row.organisation_id in peers else row.organisation.name,
                row.organisation,
                row,
                terms_of(row),
                _why_not(found, peers.get(row.organisation_id), now),
                waiting.get(row.organisation_id, 0),
            )
            for row in rows
        ),
        key=lambda standing: standing.name,
    )


def lists_with_hubs(*, organisation: uuid.UUID | None, now: datetime) -> list[tuple[HashList, list[HubStanding]]]:
    """The lists at home here that hubs asked for: of a hotline, or of all. By name, MOST_LISTS at most."""
    asked = Subscription.objects.filter(organisation__kind=Organisation.Kind.HUB)
    rows = HashList.objects.filter(pk__in=asked.values("list"), publisher__mirrored_from=None)
    if organisation is not None:
        rows = rows.filter(publisher__organisation=organisation)
    lists = rows.select_related("publisher__organisation").order_by("publisher__domain", "slug")[:MOST_LISTS]
    newest = ((found, newest_of_hubs(Subscription.objects.filter(list=found))) for found in lists)
    return [(found, standings(found, rows, now=now)) for found, rows in newest]


def newest_of_hubs(rows: QuerySet[Subscription]) -> list[Subscription]:
    """The last subscription of each hub to each list."""
    of_hubs = rows.filter(organisation__kind=Organisation.Kind.HUB).select_related(
        "organisation", "list__publisher__organisation"
    )
    return list({(row.list_id, row.organisation_id): row for row in of_hubs.order_by("requested_at")}.values())


def member_requests() -> QuerySet[MemberRequest]:
    """The newest first."""
    return MemberRequest.objects.select_related("hub", "list__publisher__organisation").order_by("-requested_at", "pk")


def open_member_requests(organisation: uuid.UUID | None = None) -> int:
    """How many wait for a decision: of a hotline, or of all."""
    rows = MemberRequest.objects.filter(state=MemberRequest.State.REQUESTED, suspended=False)
    mine = Q(list__publisher__organisation=organisation) if organisation is not None else Q()
    return rows.filter(mine).aggregate(number=Count("pk"))["number"] or 0


def told_to(hub: Organisation, *, now: datetime) -> list[Told]:
    """Of each list that the hub has been granted: whether it is given, and who decides on the hub's members."""
    peer = Peer.objects.filter(organisation=hub).first()
    rows = newest_of_hubs(Subscription.objects.filter(organisation=hub, entitled_at__isnull=False))
    valid = set(Subscription.objects.filter(in_force(now), organisation=hub).values_list("pk", flat=True))
    return sorted((_told(row, peer, row.pk in valid, now) for row in rows), key=lambda told: told.list)


@dataclass(frozen=True, slots=True)
class Decided:
    """The answer to a hub that asks for decisions after some number."""

    terms: list[Told]
    decisions: list[MemberRequest]
    newest: int


def decisions_of(*, caller: Caller, since: int, now: datetime) -> Decided:
    """Raises NotAPeer."""
    hub = caller.organisation
    peer_of(organisation=hub)
    # The newest first: a decision that is taken in between is then among those that follow.
    newest = newest_decision(hub)
    return Decided(told_to(hub, now=now), decisions_for(hub, since=since), newest)


def decisions_for(hub: Organisation, *, since: int) -> list[MemberRequest]:
    """Those after number `since`, in their order, at most MOST_DECISIONS."""
    rows = MemberRequest.objects.filter(hub=hub, number__gt=since).select_related("list__publisher")
    return list(rows.order_by("number")[:MOST_DECISIONS])


def newest_decision(hub: Organisation) -> int:
    numbers: Iterable[int] = MemberRequest.objects.filter(hub=hub).order_by("-number").values_list("number", flat=True)
    return next(iter(numbers), 0)


def _why_not(found: HashList, peer: Peer | None, now: datetime) -> str:
    if peer is None:
        return "It is no peer of this hub."
    verdict = judge_giving(found, peer, now=now)
    return verdict.reason if isinstance(verdict, rules.Failure) else ""


def _told(row: Subscription, peer: Peer | None, valid: bool, now: datetime) -> Told:
    why = _why_not(row.list, peer, now) if valid else f"The hub's subscription is {_state(row)}."
    if not valid and row.reason:
        why = f"{why} {row.reason}"
    return Told(row.list.name, not why, why, terms_of(row))


def _state(row: Subscription) -> str:
    return "ended" if row.state == Subscription.State.ACTIVE else row.state
