"""What there is to tell the hub that a list comes from: of own members, and what further hubs told of theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat

from federation.models import Peer, RemoteAcknowledgement, RemoteCount, RemoteHub, RemoteMember, ReportCursor, ToldItem
from federation.reports import (
    COUNTS,
    DOCUMENTS,
    MAX_PATH,
    MAX_STATEMENTS,
    HubCounts,
    Item,
    NamedMember,
    Path,
    Statement,
    WithdrawalCount,
)
from federation.selectors.agreed import told_evidence
from hashshare.models import Acknowledgement, HashList, Organisation, OrganisationKey, Subscription
from hashshare.peering_keys import hub_name
from hashshare.selectors.entitlements import in_force
from hashshare.selectors.propagation import Withdrawal, withdrawals, withdrawing
from hashshare.wire.documents import write_object
from hashshare.wire.plain_text import in_a_line

TOLD_DAYS: Final = 90
"""Withdrawals and statements from before are not told, nor looked for."""
MOST_WITHDRAWALS: Final = 25
"""Of one hub, the newest."""


@dataclass(frozen=True, slots=True)
class Telling:
    """`item` names what is told; `digest` is that of what is told of it."""

    item: str
    digest: str
    told: Item


def mirrored_lists(peer: Peer) -> QuerySet[HashList]:
    """Those that this hub has from the peer."""
    rows = HashList.objects.select_related("publisher").filter(publisher__mirrored_from=peer.organisation)
    return rows.order_by("pk")


def stamp(*, peer: Peer, hash_list: HashList, now: datetime) -> str:
    """Another text whenever there may be something new to tell, by few cheap questions; and once an hour anyway."""
    mine = Subscription.objects.filter(list=hash_list, entitled_at__isnull=False)
    active = Q(in_force(now), organisation__state=Organisation.State.ACTIVE)
    due = now - timedelta(hours=hash_list.deadline_hours)
    facts: list[Any] = [
        now.replace(minute=0, second=0, microsecond=0),
        hash_list.version,
        told_evidence(peer=peer, hash_list=hash_list),
        Acknowledgement.objects.filter(list=hash_list).aggregate(a=Max("pk"), b=Count("pk")),
        mine.aggregate(a=Count("pk"), b=Count("pk", filter=active), c=Max("closed_at"), d=Max("decided_at")),
        withdrawing(now - timedelta(days=TOLD_DAYS)).filter(list=hash_list, published_at__lt=due).count(),
        RemoteHub.objects.filter(list=hash_list).aggregate(a=Max("told_at"), b=Count("pk")),
    ]
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()


def untold(*, cursor: ReportCursor, mode: str, now: datetime) -> Iterator[Telling]:
    """What the peer has not taken yet, as it is now: numbers, then members, then the statements of these."""
    taken = dict(cursor.told.exclude(item__startswith="statement:").values_list("item", "digest"))
    for telling in chain(told_counts(cursor, mode, now), told_members(cursor, now) if mode == DOCUMENTS else ()):
        if taken.get(telling.item) != telling.digest:
            yield telling
    if mode == DOCUMENTS:
        yield from told_statements(cursor, now)


# --- numbers ------------------------------------------------------------------------------------------------------


def told_counts(cursor: ReportCursor, mode: str, now: datetime) -> Iterator[Telling]:
    rows = withdrawing(now - timedelta(days=TOLD_DAYS)).filter(list=cursor.list).order_by("-version")
    own = tuple(count_of(it) for it in withdrawals(releases=rows[:MOST_WITHDRAWALS], now=now))
    yield telling(HubCounts((), mode, own))
    for path, hub in further_hubs(cursor):
        newest = RemoteCount.objects.filter(hub=hub).order_by("-version")[:MOST_WITHDRAWALS]
        yield telling(HubCounts(path, mode if mode == COUNTS else hub.mode, tuple(map(remote_count, newest))))


def count_of(it: Withdrawal) -> WithdrawalCount:
    median, slowest = it.median_seconds, it.p95_seconds
    return WithdrawalCount(
        version=it.version,
        served_at=it.published_at,
        entitled=it.entitled,
        applied=it.applied,
        purged=it.purged,
        overdue=it.overdue,
        median_seconds=None if median is None else max(0, int(median)),
        p95_seconds=None if slowest is None else max(0, int(slowest)),
    )


def remote_count(row: RemoteCount) -> WithdrawalCount:
    return WithdrawalCount(
        version=row.version,
        served_at=row.served_at,
        entitled=row.entitled,
        applied=row.applied,
        purged=row.purged,
        overdue=row.overdue,
        median_seconds=row.median_seconds,
        p95_seconds=row.p95_seconds,
    )


def further_hubs(cursor: ReportCursor) -> Iterator[tuple[Path, RemoteHub]]:
    """Hubs that have the list from here, with the way to them; never one that leads back to who is told, or to us."""
    rows = RemoteHub.objects.select_related("peer").filter(list=cursor.list).exclude(peer=cursor.peer_id)
    for hub in rows.order_by("pk"):
        path = (hub.peer.name, *hub.path)
        if len(path) <= MAX_PATH and not {cursor.peer.name, hub_name()} & set(path):
            yield path, hub


def telling_hubs(cursor: ReportCursor) -> Iterator[tuple[Path, RemoteHub]]:
    """Of these, those whose members may be told of: one that has come down to counts is told of by numbers alone, also
    where what it said before is still here.
    """
    yield from ((path, hub) for path, hub in further_hubs(cursor) if hub.mode == DOCUMENTS)


# --- members ------------------------------------------------------------------------------------------------------


def told_members(cursor: ReportCursor, now: datetime) -> Iterator[Telling]:
    yield from (telling(it) for it in own_members(cursor.list, now))
    for path, hub in telling_hubs(cursor):
        for row in RemoteMember.objects.filter(hub=hub).order_by("organisation"):
            names = (row.organisation, row.name, row.country)
            yield telling(NamedMember(path, *names, row.since, row.until, row.access))


def own_members(hash_list: HashList, now: datetime) -> Iterator[NamedMember]:
    """Each once, as its newest subscription has it: hubs are none, they report of theirs."""
    rows = Subscription.objects.select_related("organisation").filter(list=hash_list, entitled_at__isnull=False)
    rows = rows.exclude(organisation__kind=Organisation.Kind.HUB).annotate(
        given=Exists(Subscription.objects.filter(in_force(now), pk=OuterRef("pk")))
    )
    for row in rows.order_by("organisation_id", "-entitled_at").distinct("organisation_id"):
        who, ends = row.organisation, [moment for moment in (row.closed_at, row.ends_at) if moment]
        yield NamedMember(
            path=(),
            organisation=who.slug,
            name=in_a_line(who.name) if who.named_since else "",
            country=who.country,
            since=row.entitled_at or row.requested_at,
            until=min(ends, default=None),
            access=row.given and who.state == Organisation.State.ACTIVE,
        )


# --- statements ---------------------------------------------------------------------------------------------------


def told_statements(cursor: ReportCursor, now: datetime) -> Iterator[Telling]:
    """Those that came in since everything was told last, and some time before: transactions end out of turn."""
    oldest = now - timedelta(days=TOLD_DAYS)
    since = max(cursor.settled_at or oldest, oldest)
    signed = OrganisationKey.objects.filter(fingerprint=OuterRef("key")).values("public_key")[:1]
    own = Acknowledgement.objects.filter(list=cursor.list, received_at__gte=since)
    own = own.exclude(organisation__kind=Organisation.Kind.HUB).annotate(public_key=Subquery(signed))
    for row in unsaid(own, cursor, "own").filter(public_key__isnull=False).order_by("pk")[:MAX_STATEMENTS]:
        told = Statement((), row.received_at, bytes(row.public_key), row.statement)
        yield telling(told, f"statement:own:{row.pk}")
    for path, hub in telling_hubs(cursor):
        relayed = RemoteAcknowledgement.objects.filter(member__hub=hub, taken_at__gte=since)
        for row in unsaid(relayed, cursor, "relayed").order_by("pk")[:MAX_STATEMENTS]:
            told = Statement(path, row.received_at, bytes(row.public_key), row.statement)
            yield telling(told, f"statement:relayed:{row.pk}")


def unsaid(rows: QuerySet[Any], cursor: ReportCursor, kind: str) -> QuerySet[Any]:
    name = Concat(Value(f"statement:{kind}:"), Cast(OuterRef("pk"), TextField()), output_field=TextField())
    return rows.exclude(Exists(ToldItem.objects.filter(cursor=cursor, item=name)))


def telling(told: Item, name: str = "") -> Telling:
    """`name` is that of a statement, which the others bear in themselves."""
    match told:
        case HubCounts():
            item = f"hub:{'>'.join(told.path)}"
        case NamedMember():
            item = f"member:{'>'.join(told.path)}:{told.organisation}"
        case _:
            item = name
    return Telling(item, hashlib.sha256(write_object(told.to_value())).hexdigest(), told)
