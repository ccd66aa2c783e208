"""Lists that are copied from a peer: whether they may still be passed on here, and to whom.

What counts is the policy in the signed manifest, which is held here. What the peer says beside it can only take away.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from federation import policy as rules
from federation.models import MirroredList, MirroredPublisher, Peer, TakenTerms
from federation.selectors.crossing import judge_taking, policy_of
from hashshare.models import HashList, Subscription
from hashshare.services.subscriptions import close
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution

NO_WAY = rules.Failure("It is not known from which hub the list has come.")


def check_offer(name: str, *, offered: Redistribution, signed: Redistribution, peer: Peer) -> None:
    """Raises NotRedistributed where the peer says that more may be done with the list than its publisher signed."""
    if said := rules.widens(offered, signed):
        raise errors.NotRedistributed(
            f"What {peer.name} says of {name} {said}. The signed policy counts, and nothing was taken.",
            next_step=f"Call the operator of {peer.name}: its offer is not what the publisher signed.",
            peer=peer.name,
            list=name,
        )


@transaction.atomic
def judge_mirrored(found: HashList, *, now: datetime) -> rules.Verdict:
    """Close a copied list that may no longer be passed on, and end what members in countries that are closed have of
    it. To be called with each copy that is served, and whenever something else has changed.

    One that is closed stays so until it was copied anew (`storing` opens it): till then it may be old.
    """
    row = HashList.objects.select_for_update(of=("self",)).select_related("publisher").get(pk=found.pk)
    verdict = _verdict(row, now)
    if isinstance(verdict, rules.Failure):
        close_crossing(row, reason=verdict.reason, now=now)
    elif row.closed_at is None:
        TakenTerms.objects.filter(list=row).exclude(closed_for="").update(closed_for="")
        _end_where_closed(row, now)
    found.closed_at = row.closed_at
    return verdict


def judge_every_copy(*, now: datetime) -> int:
    """Every list that is copied from a peer; how many may not be passed on."""
    rows = HashList.objects.exclude(publisher__mirrored_from=None).select_related("publisher")
    return sum(isinstance(judge_mirrored(row, now=now), rules.Failure) for row in rows.order_by("pk"))


def close_crossing(found: HashList, *, reason: str, now: datetime) -> None:
    """Nobody may read it here any more. What members hold stays with them; their subscriptions stay as they are."""
    TakenTerms.objects.update_or_create(list=found, defaults={"closed_for": reason[:500]})
    if found.closed_at is None:
        found.closed_at = now
        HashList.objects.filter(pk=found.pk).update(closed_at=now)


def _verdict(found: HashList, now: datetime) -> rules.Verdict:
    mirror = MirroredPublisher.objects.select_related("peer").filter(publisher=found.publisher).first()
    if mirror is None:
        return NO_WAY
    verdict = judge_taking(found.name, policy_of(found), path=mirror.path, peer=mirror.peer, now=now)
    taken = TakenTerms.objects.filter(list=found).first()
    if taken is not None and not taken.given:
        return rules.Failure(f"{mirror.peer.name} gives it no more: {taken.why}")
    if verdict == rules.Success() and MirroredList.objects.filter(list=found, allowed=False).exists():
        return rules.Failure(f"{mirror.peer.name} offers it no more.")
    return verdict


def _end_where_closed(found: HashList, now: datetime) -> None:
    held = Q(state__in=[Subscription.State.REQUESTED, Subscription.State.ACTIVE], list=found)
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("organisation", "list__publisher")
    policy = policy_of(found)
    for row in rows.filter(held).exclude(organisation__kind="hub"):
        verdict = rules.may_hold(policy, country=row.organisation.country, kind=row.organisation.kind)
        if isinstance(verdict, rules.Failure):
            close(row, "deny" if row.state == Subscription.State.REQUESTED else "revoke", verdict.reason, now)
