"""At the hub where a list is at home: its publisher's choice for each hub, what these relay of their members, and the
publisher's decisions on that.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max

from federation import policy as rules
from federation.models import Agreement, HubTerms, MemberRequest, Members, Peer
from federation.selectors.crossing import policy_of
from federation.selectors.onward import OPEN, terms_of
from federation.selectors.peers import peer_of
from hashshare.models import HashList, Organisation, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import in_force, own_list, readable_lists
from hashshare.services.subscriptions import DECISIONS, moment
from hashshare.wire import errors
from hashshare.wire.plain_text import unfit_for_a_name

MOST_ASKED: Final = 100
"""Requests that a hub may relay at once."""

MOST_OPEN: Final = 10_000
"""Open requests of one hub: more members than that no hub has."""

MOST_A_DAY: Final = 10_000
"""New ones: each is kept, closed or not, so that a hub cannot fill the table by asking and closing."""
A_DAY: Final = timedelta(days=1)

State = MemberRequest.State


# --- The publisher's choice --------------------------------------------------------------------------------------


@transaction.atomic
def set_hub_terms(
    *, caller: Caller, domain: str, slug: str, hub: str, members: str, evidence: str, now: datetime, seen: str = ""
) -> HubTerms:
    """Who decides on the hub's members, and what it is to tell of them.

    Left to the hub, open requests of its members are no longer the publisher's; taken back, they are asked again.
    `seen`: what `terms_standing` said of the choice that a person read before. Raises NotEntitled, UsageError,
    NotFound (the hub has not asked for the list), Conflict.
    """
    caller.require_write()
    found = own_list(caller=caller, domain=domain, slug=slug)
    if members not in Members.values:
        raise errors.UsageError(f"Who decides on members is one of {', '.join(Members.values)}.")
    if evidence not in ("", *Agreement.Evidence.values):
        raise errors.UsageError(f"The evidence is one of {', '.join(Agreement.Evidence.values)}, or nothing.")
    subscription = _subscription_of(found, hub_organisation(hub), hub)
    if seen and seen != terms_standing(subscription):
        raise errors.Conflict("The choice was changed meanwhile. Nothing was changed by this form.")
    row, _ = HubTerms.objects.update_or_create(
        subscription=subscription, defaults={"members": members, "evidence": evidence, "changed_at": now}
    )
    if members == Members.HUB:
        asked = MemberRequest.objects.filter(hub=subscription.organisation, list=found, state=State.REQUESTED)
        asked.update(state=State.LEFT, decided_at=now)
    return row


def terms_standing(subscription: Subscription) -> str:
    """Changes with every choice."""
    terms = terms_of(subscription)
    return f"{subscription.pk} {subscription.state} {terms.members} {terms.evidence or 'as-agreed'}"


def hub_organisation(name: str) -> Organisation:
    """What the peer of that name acts as here. Raises NotFound."""
    peer = Peer.objects.select_related("organisation").filter(name=name, organisation__isnull=False).first()
    if peer is None or peer.organisation is None:
        raise errors.NotFound(f"No hub {name} is known here.")
    return peer.organisation


def _subscription_of(found: HashList, hub: Organisation, name: str) -> Subscription:
    """The open one, locked. Raises NotFound."""
    rows = Subscription.objects.select_for_update(of=("self",)).filter(list=found, organisation=hub)
    row = rows.filter(state__in=[Subscription.State.REQUESTED, Subscription.State.ACTIVE]).first()
    if row is None:
        raise errors.NotFound(f"{name} has not asked for {found.name}.")
    return row


# --- What hubs relay ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a hub relays it. `state`: requested (granted before by the hub itself or not), suspended (the
    organisation is, at its hub) or closed (it no longer wants the list, or may no longer have it there).
    """

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


@dataclass(frozen=True, slots=True)
class Taken:
    """`state` of the request as it stands now; "" and the reason in `refused` where it was not taken."""

    id: uuid.UUID
    state: str
    refused: str = ""


@transaction.atomic
def take_requests(*, caller: Caller, asked: Sequence[Asked], now: datetime) -> list[Taken]:
    """Keep what the peer relays, each by itself; what was relayed before changes nothing. Raises NotAPeer."""
    caller.require_write()
    # The row is locked: what a hub relays twice at once is judged one after the other.
    Peer.objects.select_for_update().get(pk=peer_of(organisation=caller.organisation).pk)
    names = {each.list for each in asked}
    lists = {row.name: row for row in readable_lists(caller=caller, now=now) if row.name in names}
    mine = MemberRequest.objects.filter(hub=caller.organisation, origin__in={each.id for each in asked})
    known = {row.origin: row for row in mine.select_for_update()}
    return [_take(caller.organisation, lists.get(each.list), known, each, now) for each in asked[:MOST_ASKED]]


def _take(
    hub: Organisation, found: HashList | None, known: dict[uuid.UUID, MemberRequest], asked: Asked, now: datetime
) -> Taken:
    row = known.get(asked.id)
    if found is None or (row is not None and (row.list_id, row.slug) != (found.pk, asked.slug)):
        return Taken(asked.id, "", f"{asked.list} does not go to this hub.")
    if asked.state == "closed":
        return Taken(asked.id, _close(row, now))
    if row is not None and row.state != State.LEFT:
        # The same acceptance cannot be of other terms; a newer one is of those that stand.
        if asked.terms_digest not in (row.terms_digest, found.terms_digest):
            return Taken(asked.id, "", "Other terms were accepted than was told before, and not those that stand.")
        row.suspended, row.terms_digest = asked.state == "suspended", asked.terms_digest
        row.save(update_fields=["suspended", "terms_digest"])
        return Taken(asked.id, row.state)
    if refused := _refusal(hub, found, asked, row, now):
        return Taken(asked.id, "", refused)
    row = row or MemberRequest(hub=hub, list=found, origin=asked.id, slug=asked.slug, received_at=now)
    row.name, row.country, row.sector, row.kind = asked.name, asked.country, asked.sector, asked.kind
    row.terms_digest, row.requested_at = asked.terms_digest, asked.requested_at
    row.state, row.suspended = State.REQUESTED, asked.state == "suspended"
    row.save()
    known[asked.id] = row
    return Taken(asked.id, row.state)


def _close(row: MemberRequest | None, now: datetime) -> str:
    if row is None:
        return State.CLOSED
    if row.state in (*OPEN, State.LEFT):
        row.state, row.decided_at = State.CLOSED, now
        row.save(update_fields=["state", "decided_at"])
    return row.state


def _refusal(
    hub: Organisation,
    found: HashList,
    asked: Asked,
    row: MemberRequest | None,
    now: datetime,
) -> str:
    subscription = Subscription.objects.filter(in_force(now), list=found, organisation=hub).first()
    if subscription is None:
        return f"{asked.list} does not go to this hub."
    if found.publisher.mirrored_from_id is not None:
        return f"{found.name} is at home at another hub, where its publisher decides."
    if terms_of(subscription).members == Members.HUB:
        return "The publisher leaves that to your hub."
    if fault := unfit_for_a_name(asked.name) or unfit_for_a_name(asked.sector):
        return f"The organisation's name or sector {fault}."
    if asked.terms_digest != found.terms_digest:
        return "The list's terms are not those that were accepted."
    verdict = rules.may_hold(policy_of(found), country=asked.country, kind=asked.kind)
    if isinstance(verdict, rules.Failure):
        return verdict.reason
    return _crowded(hub, found, asked, row, now)


def _crowded(hub: Organisation, found: HashList, asked: Asked, row: MemberRequest | None, now: datetime) -> str:
    """Why no further request of the hub is kept; "" if one is."""
    mine = MemberRequest.objects.filter(hub=hub)
    others = mine.filter(state__in=OPEN)
    if row is not None:
        others = others.exclude(pk=row.pk)
    if others.filter(list=found, slug=asked.slug).exists():
        return f"{asked.slug} has asked for {found.name} before, and that is open."
    if row is None and others.count() >= MOST_OPEN:
        return "Too many requests of this hub are open."
    if row is None and mine.filter(received_at__gt=now - A_DAY).count() >= MOST_A_DAY:
        return "Too many requests of this hub came within a day."
    return ""


# --- The publisher's decisions -----------------------------------------------------------------------------------


@transaction.atomic
def decide_member_request(
    *,
    caller: Caller,
    domain: str,
    slug: str,
    hub: str,
    organisation: str,
    decision: str,
    now: datetime,
    until: date | datetime | None = None,
    reason: str = "",
    seen: str = "",
) -> MemberRequest:
    """Grant, deny or revoke what a member of another hub asked for; its hub learns it when it next asks.

    `until`, `seen` as in `decide_subscription`. Raises NotEntitled, UsageError, NotFound, Conflict, NotRedistributed.
    """
    caller.require_write()
    found = own_list(caller=caller, domain=domain, slug=slug)
    if decision not in DECISIONS:
        raise errors.UsageError(f"A decision is one of {', '.join(DECISIONS)}.")
    other = hub_organisation(hub)
    peer = Peer.objects.select_for_update().get(organisation=other)
    rows = MemberRequest.objects.select_for_update(of=("self",)).select_related("hub", "list__publisher")
    of_member = rows.filter(list=found, hub=other, slug=organisation)
    row = of_member.filter(state__in=OPEN).first()
    if row is None:
        for closed in of_member.filter(number__gt=0).order_by("-number")[:1]:
            _check_stands(closed, seen)
        raise errors.NotFound(f"{organisation} of {hub} has not asked for {found.name}, or not of you.")
    _check_stands(row, seen)
    if decision == "grant":
        _grant(row, moment(until), now)
    else:
        _close_by_decision(row, decision)
    row.decided_at, row.reason, row.number = now, reason[:500], _next_number(peer)
    row.save()
    return row


def request_standing(row: MemberRequest) -> str:
    """Changes with every decision."""
    return f"{row.pk} {row.state} {row.number}"


def _check_stands(row: MemberRequest, seen: str) -> None:
    if seen and seen != request_standing(row):
        at = f" at {row.decided_at:%Y-%m-%d %H:%M} UTC" if row.decided_at else ""
        raise errors.Conflict(
            f"Decided meanwhile{at}: {row.state}. Nothing was changed by this form.",
            next_step="Open it again to decide on what stands now.",
        )


def _grant(row: MemberRequest, until: datetime | None, now: datetime) -> None:
    if until is not None and until <= now:
        raise errors.UsageError("The subscription would end before it begins.")
    if not Subscription.objects.filter(in_force(now), list=row.list, organisation=row.hub).exists():
        raise errors.Conflict(
            f"{row.hub} itself does not receive {row.list.name}.", next_step="Grant the hub its own subscription first."
        )
    verdict = rules.may_hold(policy_of(row.list), country=row.country, kind=row.kind)
    if isinstance(verdict, rules.Failure):
        raise errors.NotRedistributed(f"{row.list.name} does not go to {row.name}: {verdict.reason}")
    row.state, row.ends_at = State.ACTIVE, until


def _close_by_decision(row: MemberRequest, decision: str) -> None:
    expected = State.REQUESTED if decision == "deny" else State.ACTIVE
    if row.state != expected:
        raise errors.Conflict(f"The request is {row.state}; only one that is {expected} can be that.")
    row.state = State.DENIED if decision == "deny" else State.REVOKED


def _next_number(peer: Peer) -> int:
    """One more than the last for this hub, whose row is locked: so they become visible in their order."""
    rows = MemberRequest.objects.filter(hub=peer.organisation)
    return int(rows.aggregate(last=Max("number"))["last"] or 0) + 1
