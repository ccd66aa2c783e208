"""Taking peers' reports of how far withdrawals got among their members. A report is taken whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from federation.models import Peer, RemoteAcknowledgement, RemoteCount, RemoteHub, RemoteMember, TakenReport
from federation.reports import (
    COUNTS,
    DOCUMENTS,
    HubCounts,
    NamedMember,
    Path,
    Report,
    Statement,
    read_statement,
    verify_report,
)
from federation.selectors.agreed import taken_evidence
from federation.selectors.peers import peer_of
from hashshare.models import HashList, Leaf, Release
from hashshare.peering_keys import hub_name
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import once_entitled_list
from hashshare.services.logs import hidden_leaf, log_of
from hashshare.services.problems import problem_document
from hashshare.wire import errors
from hashshare.wire.log.acknowledgements import Acknowledgement
from hashshare.wire.log.rows import RelayedRow

MOST_HUBS: Final = 256
MOST_MEMBERS: Final = 50_000
"""That one peer may tell of, about one list."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement, what it says, and the fingerprint of its key."""

    statement: Statement
    stated: Acknowledgement
    key: str


def take_report(*, caller: Caller, document: bytes, now: datetime) -> TakenReport:
    """Keep what the peer tells; the newest report again is answered alike and changes nothing.

    1. The caller is an active peer, the report is signed by its peer key, and goes from it to this hub. Raises
       NotAPeer, BadSignature, MalformedReport.
    2. The list is one that it has, or once had, from here. Raises NotEntitled.
    3. Statements bear the signature of the key that is named with them, and speak of this list at the hub in question.
    4. Reports of a peer about a list take turns. Raises StaleReport for one whose number is not above the last.
    5. Versions are those that were published here, with that manifest. Raises UnknownRelease.
    """
    caller.require_write()
    peer = peer_of(organisation=caller.organisation)
    report = verify_report(document, peer_key=bytes(peer.peer_key))
    check_addressed(report, peer)
    found = once_entitled_list(caller=caller, tuf_id=report.list_id, name=report.list_name)
    try:
        check_agreed(report, peer, found)
        statements = [Verified(it, *read_statement(it, report)) for it in report.statements]
        return keep(peer, found, report, statements, hashlib.sha256(document).hexdigest(), now)
    except errors.StaleReport:
        raise
    except errors.HashshareError as error:
        note_refused(peer, found, error, now)
        raise


def note_refused(peer: Peer, found: HashList, error: errors.HashshareError, now: datetime) -> None:
    """For the operators to see, until a report of the list is taken."""
    row, _ = TakenReport.objects.get_or_create(peer=peer, list=found, defaults={"sequence": 0, "taken_at": now})
    TakenReport.objects.filter(pk=row.pk).update(refused=problem_document(error))


def check_addressed(report: Report, peer: Peer) -> None:
    if report.sender != peer.name:
        raise errors.MalformedReport(f"The report is from {report.sender}, but {peer.name} sends it.")
    if report.receiver != hub_name():
        raise errors.MalformedReport(f"The report is for {report.receiver}, which is not this hub.")


def check_agreed(report: Report, peer: Peer, found: HashList) -> None:
    """A peer may tell less than was agreed, not more: names would reach a hub that said it wants none."""
    if report.mode == DOCUMENTS and taken_evidence(peer=peer, hash_list=found) == COUNTS:
        raise errors.MalformedReport(f"Of {found.name} the hubs agreed to tell numbers alone, no statements.")


@transaction.atomic
def keep(
    peer: Peer, found: HashList, report: Report, statements: Sequence[Verified], digest: str, now: datetime
) -> TakenReport:
    TakenReport.objects.get_or_create(peer=peer, list=found, defaults={"sequence": 0, "taken_at": now})
    row = TakenReport.objects.select_for_update().get(peer=peer, list=found)
    if row.digest == digest:
        return row
    if report.sequence <= row.sequence:
        raise errors.StaleReport(
            f"Report {row.sequence} of {found.name} was taken from {peer.name} before this one, {report.sequence}.",
            sequence=row.sequence,
        )
    check_published(found, report, statements)
    hubs = keep_hubs(peer, found, report, now)
    keep_members(hubs, report.members)
    keep_statements(peer, found, hubs, statements, now)
    row.previous, row.sequence, row.digest, row.taken_at = row.sequence, report.sequence, digest, now
    row.refused = None
    row.save()
    return row


def check_published(found: HashList, report: Report, statements: Sequence[Verified]) -> None:
    counted = {(it.version, None) for hub in report.hubs for it in hub.withdrawals}
    stated = {(it.stated.version, it.stated.manifest_sha256) for it in statements}
    releases = Release.objects.filter(list=found, state=Release.State.PUBLISHED)
    asked = {version for version, _ in counted | stated}
    published = dict(releases.filter(version__in=asked).values_list("version", "manifest_digest"))
    for version, manifest in sorted(counted | stated, key=str):
        if version not in published or manifest not in (None, published[version]):
            raise errors.UnknownRelease(
                f"{found.name} was not published as version {version} with that manifest.",
                next_step="Nothing was recorded. The hub that reports has to look at what it serves.",
            )


def keep_hubs(peer: Peer, found: HashList, report: Report, now: datetime) -> dict[Path, RemoteHub]:
    """All that were told of so far, by path; the numbers of those in the report replaced. Raises TooLarge."""
    RemoteHub.objects.bulk_create(
        [RemoteHub(peer=peer, list=found, path=list(it.path), mode=it.mode, told_at=now) for it in report.hubs],
        update_conflicts=True,
        unique_fields=["peer", "list", "path"],
        update_fields=["mode", "told_at"],
    )
    hubs = {tuple(hub.path): hub for hub in RemoteHub.objects.filter(peer=peer, list=found)}
    if len(hubs) > MOST_HUBS:
        raise errors.TooLarge(f"A peer may tell of {MOST_HUBS} hubs about one list.", limit=MOST_HUBS)
    RemoteCount.objects.bulk_create(
        [count for it in report.hubs for count in counts(hubs[it.path], it, now)],
        update_conflicts=True,
        unique_fields=["hub", "version"],
        update_fields=[
            *("served_at", "entitled", "applied", "purged", "overdue"),
            *("median_seconds", "p95_seconds"),
        ],
    )
    return hubs


def counts(hub: RemoteHub, told: HubCounts, now: datetime) -> list[RemoteCount]:
    """Deadlines are counted from `served_at`, so a clock that is ahead there makes none of the future here."""
    return [
        RemoteCount(
            hub=hub,
            version=it.version,
            served_at=min(it.served_at, now),
            entitled=it.entitled,
            applied=it.applied,
            purged=it.purged,
            overdue=it.overdue,
            median_seconds=it.median_seconds,
            p95_seconds=it.p95_seconds,
        )
        for it in told.withdrawals
    ]


def keep_members(hubs: Mapping[Path, RemoteHub], members: Sequence[NamedMember]) -> None:
    """Raises MalformedReport for a member of a hub that was not told of, TooLarge."""
    RemoteMember.objects.bulk_create(
        [
            RemoteMember(
                hub=told_of(hubs, it.path),
                organisation=it.organisation,
                name=it.name,
                country=it.country,
                since=it.since,
                until=it.until,
                access=it.access,
            )
            for it in members
        ],
        update_conflicts=True,
        unique_fields=["hub", "organisation"],
        update_fields=["name", "country", "since", "until", "access"],
    )
    if members and RemoteMember.objects.filter(hub__in=hubs.values()).count() > MOST_MEMBERS:
        raise errors.TooLarge(f"A peer may tell of {MOST_MEMBERS} members about one list.", limit=MOST_MEMBERS)


def told_of(hubs: Mapping[Path, RemoteHub], path: Path) -> RemoteHub:
    """A hub whose members and statements are told."""
    hub = hubs.get(path)
    if hub is None or hub.mode != DOCUMENTS:
        raise errors.MalformedReport("A member or statement is of a hub that was not told of in this way.")
    return hub


# --- statements and the log ---------------------------------------------------------------------------------------


def keep_statements(
    peer: Peer, found: HashList, hubs: Mapping[Path, RemoteHub], statements: Sequence[Verified], now: datetime
) -> None:
    """Those that are not here yet, each as a leaf of the publisher's delivery log, whose opening is the publisher's and
    the peer's: what it relayed cannot be denied later, by either.
    """
    members = speakers(hubs, statements)
    fresh = unknown(members, statements)
    if not fresh:
        return
    log = log_of(found.publisher, now=now)
    leaves = [relayed_leaf(log.pk, peer, found, member, it, now) for member, it in fresh]
    Leaf.objects.bulk_create(leaves)
    RemoteAcknowledgement.objects.bulk_create(
        RemoteAcknowledgement(
            member=member,
            version=it.stated.version,
            purged=it.stated.purged,
            manifest_digest=it.stated.manifest_sha256,
            statement=it.statement.document,
            key=it.key,
            public_key=it.statement.key,
            received_at=min(it.statement.received_at, now),
            taken_at=now,
            leaf=leaf,
        )
        for (member, it), leaf in zip(fresh, leaves, strict=True)
    )


def speakers(hubs: Mapping[Path, RemoteHub], statements: Sequence[Verified]) -> list[RemoteMember]:
    """Who made each statement. Raises MalformedReport for somebody who was not told of as a member."""
    asked = [(told_of(hubs, it.statement.path).pk, it.stated.organisation) for it in statements]
    rows = RemoteMember.objects.select_related("hub__peer")
    rows = rows.filter(hub__in={hub for hub, _ in asked}, organisation__in={organisation for _, organisation in asked})
    known = {(row.hub_id, row.organisation): row for row in rows}
    for hub, organisation in asked:
        if (hub, organisation) not in known:
            raise errors.MalformedReport(f"{organisation}, of which there is a statement, was not told of as a member.")
    return [known[who] for who in asked]


def unknown(members: Sequence[RemoteMember], statements: Sequence[Verified]) -> list[tuple[RemoteMember, Verified]]:
    """Each once, without those that were taken before."""
    rows = RemoteAcknowledgement.objects.filter(member__in={member.pk for member in members})
    rows = rows.filter(version__in={it.stated.version for it in statements})
    seen = set(rows.values_list("member", "version", "purged", "manifest_digest"))
    fresh = []
    for member, it in zip(members, statements, strict=True):
        name = (member.pk, it.stated.version, it.stated.purged, it.stated.manifest_sha256)
        if name not in seen:
            seen.add(name)
            fresh.append((member, it))
    return fresh


def relayed_leaf(log_id: int, peer: Peer, found: HashList, member: RemoteMember, it: Verified, now: datetime) -> Leaf:
    row = RelayedRow(
        hub=str(member.hub),
        via=peer.name,
        organisation=it.stated.organisation,
        list_name=it.stated.list_name,
        list_id=it.stated.list_id,
        version=it.stated.version,
        purged=it.stated.purged,
        manifest_sha256=it.stated.manifest_sha256,
        at=it.stated.at,
        statement_sha256=hashlib.sha256(it.statement.document.encode()).hexdigest(),
        key=it.key,
    )
    leaf = hidden_leaf(log_id, row, now)
    leaf.organisation, leaf.list = peer.organisation, found
    return leaf
