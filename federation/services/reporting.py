"""Telling the hubs that lists come from how far their withdrawals got here.

What is to be told stands in the database, so that a killed worker, or a peer that is out of reach, loses nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from federation.models import Peer, ReportCursor, ToldItem
from federation.reports import HubCounts, NamedMember, Report, Statement, fitting, sign_report
from federation.selectors.agreed import told_evidence
from federation.selectors.reporting import mirrored_lists, stamp, untold
from federation.services.connections import session_with
from hashshare.client.answers import decoded_object
from hashshare.client.session import Session
from hashshare.models import HashList
from hashshare.peering_keys import hub_name, peer_key
from hashshare.services.problems import problem_document
from hashshare.services.runs import spared
from hashshare.wire import errors

logger = logging.getLogger(__name__)

PATH: Final = "peers/reports"
MOST: Final = 20
"""Reports of one list in one run; the next goes on."""
FAILED: Final = 500
"""Status of a problem from which on nobody knows whether the peer took the report."""
OVERLAP: Final = timedelta(hours=1)
"""How long a transaction that brings in a statement may take, generously."""


def send_reports(*, now: datetime) -> int:
    """Tell every active peer what is new of the lists that come from it; how many reports were taken.

    A peer that is out of reach is left until the next run. Running twice at once tells nothing twice.
    """
    told = 0
    for peer in Peer.objects.select_related("organisation").filter(state=Peer.State.ACTIVE):
        with spared("%s could not be told what became of its lists here.", peer):
            told += report_to(peer, now=now)
    return told


def report_to(peer: Peer, *, now: datetime) -> int:
    """What goes wrong is noted with the list. A peer that fails is asked nothing more: all lists go the same way."""
    told, session = 0, None
    for hash_list in mirrored_lists(peer):
        cursor, _ = ReportCursor.objects.get_or_create(list=hash_list, peer=peer)
        seen = stamp(hash_list=hash_list, now=now)
        if not cursor.pending and cursor.stamp == seen:
            continue
        session = session or session_with(peer)
        try:
            told += report_list(cursor, hash_list, session, seen=seen, now=now)
        except errors.HashshareError as error:
            logger.warning("%s did not take what became of %s here: %s", peer, hash_list, error.message)
            if error.status >= FAILED:
                break
    return told


def report_list(cursor: ReportCursor, hash_list: HashList, session: Session, *, seen: str, now: datetime) -> int:
    """Until nothing is left to tell, or for this run; how many reports."""
    for told in range(MOST):
        document = prepare(cursor=cursor, hash_list=hash_list, seen=seen, now=now)
        if not document:
            return told
        try:
            sent = session.send("POST", PATH, body=document.encode(), headers={"Content-Type": "application/json"})
            answer = decoded_object(sent)
        except errors.HashshareError as error:
            note_trouble(cursor=cursor, document=document, error=error)
            raise
        settle(cursor=cursor, document=document, answer=answer, now=now)
    return MOST


@transaction.atomic
def prepare(*, cursor: ReportCursor, hash_list: HashList, seen: str, now: datetime) -> str:
    """The report that the peer has not taken yet, the same until it has; empty when there is nothing to tell."""
    row = locked(cursor)
    if row.pending:
        return row.pending
    mode = told_evidence(peer=row.peer, hash_list=hash_list)
    tellings = list(untold(cursor=row, mode=mode, now=now))
    items = fitting(it.told for it in tellings)
    if not items:
        row.stamp, row.settled_at, row.trouble = seen, now - OVERLAP, None
        row.save(update_fields=["stamp", "settled_at", "trouble"])
        row.told.filter(item__startswith="statement:", told_at__lt=now - 2 * OVERLAP).delete()
        return ""
    report = Report(
        sender=hub_name(),
        receiver=row.peer.name,
        list_name=hash_list.name,
        list_id=hash_list.tuf_id,
        sequence=row.sequence + 1,
        at=now,
        mode=mode,
        hubs=tuple(it for it in items if isinstance(it, HubCounts)),
        members=tuple(it for it in items if isinstance(it, NamedMember)),
        statements=tuple(it for it in items if isinstance(it, Statement)),
    )
    row.sequence = report.sequence
    row.pending = sign_report(report, key=peer_key().private).decode()
    row.pending_items = {it.item: it.digest for it in tellings[: len(items)]}
    row.save(update_fields=["sequence", "pending", "pending_items"])
    return row.pending


@transaction.atomic
def settle(*, cursor: ReportCursor, document: str, answer: Mapping[str, Any], now: datetime) -> None:
    """The peer took it. One that remembers less than it took before, as after a restore, is told all anew."""
    row = locked(cursor)
    if row.pending != document:
        return  # another worker sent the same at the same time
    previous = answer.get("previous")
    if isinstance(previous, int) and previous < row.taken:
        row.told.all().delete()
        row.settled_at = None
    ToldItem.objects.bulk_create(
        [ToldItem(cursor=row, item=item, digest=digest, told_at=now) for item, digest in row.pending_items.items()],
        update_conflicts=True,
        unique_fields=["cursor", "item"],
        update_fields=["digest", "told_at"],
    )
    row.taken, row.taken_at, row.trouble = row.sequence, now, None
    row.pending, row.pending_items = "", {}
    row.save()


@transaction.atomic
def note_trouble(*, cursor: ReportCursor, document: str, error: errors.HashshareError) -> None:
    """A report that was refused is made anew the next time; after a newer one was taken, with a number above that."""
    row = locked(cursor)
    row.trouble = problem_document(error)
    if error.status < FAILED and row.pending == document:
        row.pending, row.pending_items = "", {}
    known = error.facts.get("sequence")
    if isinstance(error, errors.StaleReport) and isinstance(known, int):
        row.sequence = max(row.sequence, known)
    row.save()


def locked(cursor: ReportCursor) -> ReportCursor:
    rows = ReportCursor.objects.select_related("peer", "list__publisher").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=cursor.pk)
