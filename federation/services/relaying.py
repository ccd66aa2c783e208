"""At the hub that has the copy: members' requests go to the list's home, and the decisions taken there are followed.

Everything can be repeated. A request is told until the home has taken it, a decision is followed once, and one that is
older than what was followed changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from federation.documents import Decisions, TakenRequest, ToldDecision, ToldTerms
from federation.models import Members, MirroredList, MirroredPublisher, Peer, Relayed, TakenTerms
from federation.selectors.relaying import Untold, untold
from federation.services.connections import session_with
from federation.services.crossing import judge_every_copy, judge_mirrored
from hashshare.client.answers import decoded_object
from hashshare.client.session import Session
from hashshare.models import HashList, Subscription
from hashshare.services.subscriptions import OPEN, close, grant
from hashshare.wire.errors import HashshareError, NotRedistributed

logger = logging.getLogger(__name__)

MOST_ROUNDS: Final = 20
"""Answers that are asked for, and batches that are told, in one run; the next run goes on."""
ENDED: Final = MirroredPublisher.State.ENDED


def relay_to_every_peer(*, now: datetime) -> None:
    """A peer that fails keeps no other waiting. Then every copied list is judged anew, since time alone ends things."""
    failed: HashshareError | None = None
    for peer in Peer.objects.filter(state=Peer.State.ACTIVE, mirrors__isnull=False).distinct().order_by("name"):
        try:
            relay(peer, session_with(peer), now=now)
        except HashshareError as error:
            logger.warning("%s: requests were not relayed: %s", peer.name, error.message)
            failed = error
    judge_every_copy(now=now)
    if failed is not None:
        raise failed


def relay(peer: Peer, session: Session, *, now: datetime) -> None:
    """What the peer has decided, then what it does not know yet. Raises NetworkError, MalformedReport."""
    follow(peer, session, now=now)
    for _ in range(MOST_ROUNDS):
        batch = untold(peer)
        if not batch:
            return
        answer = session.send("POST", "peers/requests", json={"requests": [it.to_json() for it in batch]})
        note_told(batch, TakenRequest.parse_all(decoded_object(answer)), now=now)


def follow(peer: Peer, session: Session, *, now: datetime) -> None:
    since = newest_followed(peer)
    for _ in range(MOST_ROUNDS):
        told = Decisions.parse(session.get_json("peers/decisions", params={"since": str(since)}))
        if told.newest < since:
            # The peer was restored from a backup: it counts on from there, and may lack what it was told since.
            Relayed.objects.filter(subscription__list__publisher__mirror__peer=peer).update(told="", number=0)
            since = 0
            continue
        take_terms(peer, told.terms, now=now)
        for decision in told.decisions:
            follow_decision(peer, decision, now=now)
            since = max(since, decision.number)
        if not told.decisions or since >= told.newest:
            return


def newest_followed(peer: Peer) -> int:
    rows = Relayed.objects.filter(subscription__list__publisher__mirror__peer=peer)
    return int(rows.aggregate(last=Max("number"))["last"] or 0)


# --- What the peer says of lists ---------------------------------------------------------------------------------


def take_terms(peer: Peer, told: Iterable[ToldTerms], *, now: datetime) -> None:
    """Who decides, and what is given no more: a list of which it says nothing is not given either."""
    by_name = {each.list: each for each in told}
    lists = HashList.objects.filter(publisher__mirror__peer=peer).exclude(publisher__mirror__state=ENDED)
    for found in lists.select_related("publisher"):
        nothing = ToldTerms(found.name, given=False, why=f"{peer.name} does not know of it.", members="", evidence="")
        take_terms_of(found, by_name.get(found.name, nothing), now=now)


@transaction.atomic
def take_terms_of(found: HashList, told: ToldTerms, *, now: datetime) -> None:
    TakenTerms.objects.get_or_create(list=found)
    row = TakenTerms.objects.select_for_update().get(list=found)
    asked_again = told.members == Members.EACH and row.members != Members.EACH
    row.given, row.why, row.told_at = told.given, told.why, now
    row.members, row.evidence = told.members or row.members, told.evidence
    row.save(update_fields=["given", "why", "told_at", "members", "evidence"])
    MirroredList.objects.filter(list=found).exclude(members=row.members).update(members=row.members)
    if asked_again:
        Relayed.objects.filter(subscription__list=found).update(told="", refused="")
    judge_mirrored(found, now=now)


# --- What the publisher decided ----------------------------------------------------------------------------------


@transaction.atomic
def follow_decision(peer: Peer, told: ToldDecision, *, now: datetime) -> bool:
    """Whether it changed anything: not one that was followed before, or is older than one that was, or is about what
    is no open request for a list of this peer's.
    """
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("organisation", "list__publisher")
    # Of what is still copied from it: a hub whose publisher is at home elsewhere by now decides nothing of it.
    row = rows.filter(pk=told.id, list__publisher__mirrored_from=peer.organisation_id).first()
    if row is None or row.list.name != told.list:
        return False
    relayed, _ = Relayed.objects.get_or_create(subscription=row)
    if relayed.decided_at is not None and told.decided_at <= relayed.decided_at:
        # Followed before the peer was restored and counted anew: its number there is all that is new.
        Relayed.objects.filter(pk=relayed.pk, number__lt=told.number).update(number=told.number)
        return False
    relayed.number, relayed.decided_at = told.number, told.decided_at
    relayed.save(update_fields=["number", "decided_at"])
    if row.state not in OPEN:
        return False
    _apply(row, told, now)
    return True


def _apply(row: Subscription, told: ToldDecision, now: datetime) -> None:
    """This hub holds the policy too: what it forbids is not granted, whoever decided so."""
    if told.state != "active":
        close(row, "deny" if row.state == Subscription.State.REQUESTED else "revoke", told.reason, now)
        return
    if told.ends_at is not None and told.ends_at <= now:
        return
    try:
        with transaction.atomic():
            grant(row.list, row.organisation, row, told.ends_at, told.reason, now)
    except NotRedistributed as error:
        if row.list.closed_at is None:
            close(row, "deny" if row.state == Subscription.State.REQUESTED else "revoke", error.message, now)


# --- What the peer is told ---------------------------------------------------------------------------------------


@transaction.atomic
def note_told(batch: Sequence[Untold], taken: Iterable[TakenRequest], *, now: datetime) -> None:
    """What the peer says nothing of was not taken either, and is told no more until it changes."""
    answers = {each.id: each for each in taken}
    for item in batch:
        answer = answers.get(item.id)
        refused = answer.refused if answer is not None else "The hub did not say what became of it."
        Relayed.objects.update_or_create(
            subscription_id=item.id,
            defaults={"told": item.state, "digest": item.terms_digest, "told_at": now, "refused": refused},
        )
