"""The poll of every peer: what is new there is noted, and becomes jobs that copy it (services/mirroring.py)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from federation.models import MirroredList, MirroredPublisher, Peer
from federation.selectors.mirrors import behind, due_mirrors
from federation.selectors.peers import active_peers
from federation.services.asking import Answer, Question, ask_all
from federation.services.taking import (
    allow_only,
    check_words,
    mirrored_lists,
    signed_against,
    still_agreed,
    take_offers,
)
from hashshare.client.polling import Head
from hashshare.models import Job
from hashshare.services.jobs import create_job
from hashshare.services.problems import problem_document
from hashshare.services.runs import spared
from hashshare.wire import errors

logger = logging.getLogger(__name__)

OFFERS_EVERY = timedelta(minutes=10)
"""How often a peer is asked for what it offers although its heads are the same: a title or a term moves no head."""


def mirror_peers(*, now: datetime) -> int:
    """Poll the peers whose turn it is, all at once, and have copied what is new; how many were polled."""
    close_ended(now)
    questions = [question_to(peer, now) for peer in due_peers(now)]
    answers = ask_all(questions)
    for question in questions:
        with spared("The answer of %s could not be taken.", question.peer):
            take_answer(peer=question.peer, answer=answers[question.peer.name], now=now)
    return len(questions)


def ask_anew(*, peer: Peer) -> None:
    """Ask the peer for everything at the next run, and try again at once what paused after a failure. An answer that is
    on its way meanwhile does not count for it.
    """
    Peer.objects.filter(pk=peer.pk).update(heads_at=None, offers_at=None)
    MirroredPublisher.objects.filter(peer=peer).update(tried_at=None)


def close_ended(now: datetime) -> None:
    """Nothing of a hub that is no peer any more is passed on."""
    for peer in Peer.objects.filter(state=Peer.State.ENDED, mirrors__lists__allowed=True).distinct():
        allow_only(peer=peer, allowed=set(), now=now)


def due_peers(now: datetime) -> list[Peer]:
    """Active ones that were not polled for HASHSHARE_MIRROR_SECONDS. Taking one is a compare-and-set: two of these jobs
    at once poll nobody twice.
    """
    before = now - timedelta(seconds=settings.HASHSHARE_MIRROR_SECONDS)
    due = Q(heads_at=None) | Q(heads_at__lte=before)
    rows = active_peers().filter(due).order_by("heads_at")
    return [peer for peer in rows if Peer.objects.filter(due, pk=peer.pk).update(heads_at=now)]


def question_to(peer: Peer, now: datetime) -> Question:
    known = mirrored_lists(peer).filter(offered_role_version__gt=0, allowed=True)
    rows = known.values_list("list__publisher__domain", "list__tuf_id", "list__role_version")
    offers = peer.offers_at is None or peer.offers_at <= now - OFFERS_EVERY
    # A list that is taken with these offers has its head read too, although no head has changed since the last poll.
    etag = "" if offers else peer.heads_etag
    return Question(peer, etag, frozenset(rows), offers)


def take_answer(*, peer: Peer, answer: Answer, now: datetime) -> None:
    """Note what the peer said, close what it no longer gives, and make the jobs that are due."""
    if answer.error is not None:
        Peer.objects.filter(pk=peer.pk).update(trouble=problem_document(answer.error))
        allow_only(peer=peer, allowed=still_agreed(peer=peer, now=now), now=now)
        return
    allowed, refused = still_agreed(peer=peer, now=now) - answer.refused, list[errors.HashshareError]()
    fields: dict[str, Any] = {"reached_at": now, "heads_etag": answer.etag, "trouble": None}
    if answer.offers is not None:
        taken = take_offers(peer=peer, offers=answer.offers, now=now)
        allowed, refused = taken.allowed - answer.refused, taken.refused
    newest = {head.list_id: head.role_version for head in answer.heads or ()}
    allowed -= signed_against(peer=peer, newest=newest, now=now)
    with transaction.atomic():
        allow_only(peer=peer, allowed=allowed, now=now)
        note_heads(peer, answer.heads, now)
        refused += check_words(peer=peer, offers=answer.offers or ())
        if answer.offers is not None:
            fields["offers_trouble"] = problem_document(refused[0]) if refused else None
            Peer.objects.filter(pk=peer.pk, heads_at__isnull=False).update(offers_at=now)
        Peer.objects.filter(pk=peer.pk).update(**fields)
    for error in refused:
        logger.warning("%s", error.message)
    make_jobs(peer, now)


def note_heads(peer: Peer, heads: list[Head] | None, now: datetime) -> None:
    """Beside each list what the peer says it has; None: the same as last time."""
    rows = {row.list.tuf_id: row for row in mirrored_lists(peer)}
    for head in heads or ():
        row = rows.get(head.list_id)
        if row is not None and row.list.name == head.name:
            MirroredList.objects.filter(pk=row.pk).update(
                offered_version=head.version, offered_role_version=head.role_version
            )
            MirroredPublisher.objects.filter(pk=row.mirror_id).update(offered_root=head.root_version)
    mine = MirroredList.objects.filter(mirror__peer=peer)
    mine.update(seen_at=now)
    late = list(mine.filter(behind()).values_list("pk", flat=True))
    mine.filter(pk__in=late, behind_since=None).update(behind_since=now)
    mine.exclude(pk__in=late).update(behind_since=None)


@transaction.atomic
def make_jobs(peer: Peer, now: datetime) -> list[Job]:
    """One for each publisher of which something is to be copied. The peer's row is locked, so none is made twice."""
    Peer.objects.select_for_update().get(pk=peer.pk)
    return [
        create_job(kind=Job.Kind.MIRROR, organisation=mirror.peer.organisation, target=mirror.pk, now=now)
        for mirror in due_mirrors(peer=peer, now=now)
    ]
