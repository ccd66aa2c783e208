"""How far other hubs' members are with releases published here, as these hubs tell. A few queries, however many."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from federation.models import Peer, RemoteAcknowledgement, RemoteCount, RemoteMember
from federation.reports import DOCUMENTS
from hashshare.models import Leaf, Release
from hashshare.selectors.elsewhere import HubStanding, RemoteState
from hashshare.selectors.propagation import published

MOST_MEMBERS = 5_000
"""Shown of all hubs together, those first that have not applied it."""


def elsewhere(releases: Sequence[Release], now: datetime, members: bool) -> dict[uuid.UUID, list[HubStanding]]:
    """For `Extension.elsewhere`."""
    by_version = {(release.list_id, release.version): release for release in releases}
    found: dict[uuid.UUID, list[HubStanding]] = {release.pk: [] for release in releases}
    rows = [row for row in told(releases) if (row.hub.list_id, row.version) in by_version]
    states = member_states(rows, by_version, now) if members else {}
    for row in rows:
        release = by_version[row.hub.list_id, row.version]
        found[release.pk].append(standing(row, release, states.get(row.pk, ())))
    for release, peer in silent(releases, found):
        found[release.pk].append(HubStanding((peer.name,), peer.organisation_id))
    return found


def told(releases: Sequence[Release]) -> list[RemoteCount]:
    """Numbers of these releases at all hubs, and of how many members a signed statement is here (`stated`)."""
    stated = RemoteAcknowledgement.objects.filter(
        member__hub=OuterRef("hub"), version__gte=OuterRef("version"), member__since__lte=OuterRef("served_at")
    ).order_by()
    number = stated.values("member__hub").annotate(number=Count("member", distinct=True)).values("number")
    rows = RemoteCount.objects.select_related("hub__peer").annotate(stated=Coalesce(Subquery(number), 0))
    lists, versions = {it.list_id for it in releases}, {it.version for it in releases}
    return list(rows.filter(hub__list__in=lists, version__in=versions))


def silent(
    releases: Sequence[Release], found: Mapping[uuid.UUID, Sequence[HubStanding]]
) -> Iterable[tuple[Release, Peer]]:
    """Peers that have or had the list and told nothing of the release."""
    lists = {it.list_id for it in releases}
    having = Peer.objects.filter(
        organisation__subscriptions__list__in=lists, organisation__subscriptions__entitled_at__isnull=False
    )
    pairs = list(having.annotate(of=F("organisation__subscriptions__list")).distinct())
    for release in releases:
        spoke = {standing.organisation for standing in found[release.pk]}
        for peer in pairs:
            if getattr(peer, "of", None) == release.list_id and peer.organisation_id not in spoke:
                yield release, peer


def standing(row: RemoteCount, release: Release, members: Sequence[RemoteState]) -> HubStanding:
    """Times counted from the publication here: what the hubs in between took is on top of what its members took."""
    late = max(0.0, (row.served_at - published(release)).total_seconds())
    peer = row.hub.peer
    return HubStanding(
        path=(peer.name, *row.hub.path),
        organisation=None if row.hub.path else peer.organisation_id,
        mode=row.hub.mode,
        told_at=row.hub.told_at,
        served_at=row.served_at,
        entitled=row.entitled,
        applied=row.applied,
        purged=row.purged,
        overdue=row.overdue,
        stated=int(getattr(row, "stated", 0)),
        median_seconds=None if row.median_seconds is None else row.median_seconds + late,
        p95_seconds=None if row.p95_seconds is None else row.p95_seconds + late,
        members=tuple(members),
    )


class Progress(NamedTuple):
    """What a member of another hub has stated of a release there."""

    counted: int
    organisation: str
    name: str
    country: str
    access: bool
    applied_at: datetime | None
    first_purged_at: datetime | None
    purged_now: int | None


def member_states(
    rows: Sequence[RemoteCount], by_version: Mapping[tuple[uuid.UUID, int], Release], now: datetime
) -> dict[int, list[RemoteState]]:
    """By the row of numbers, each member that was entitled when its hub served the release."""
    counts = {row.pk: row for row in rows if row.hub.mode == DOCUMENTS}
    found: dict[int, list[RemoteState]] = {pk: [] for pk in counts}
    for it in progress(counts):
        row = counts[it.counted]
        release = by_version[row.hub.list_id, row.version]
        late = now > row.served_at + timedelta(hours=release.list.deadline_hours)
        found[it.counted].append(member_state(it, row.version, late=late))
    return found


def progress(counts: Iterable[int]) -> Iterable[Progress]:
    """One query, with a few index probes for each member and release."""
    version = OuterRef("hub__counts__version")
    stated = RemoteAcknowledgement.objects.filter(member=OuterRef("pk"))
    applied = stated.filter(version__gte=version).order_by("version", "received_at")
    purged = stated.filter(purged__gte=version).order_by("purged", "received_at")
    newest = stated.order_by("-version", "-received_at")
    served_at = F("hub__counts__served_at")
    # In one call, so that all of it is about the same release.
    had_access = RemoteMember.objects.filter(
        Q(until=None) | Q(until__gt=served_at), since__lte=served_at, hub__counts__in=list(counts)
    )
    rows = had_access.values_list(
        "hub__counts",
        "organisation",
        "name",
        "country",
        "access",
        Subquery(applied.values("received_at")[:1]),
        Subquery(purged.values("received_at")[:1]),
        Subquery(newest.values("purged")[:1]),
    )
    return [Progress(*row) for row in rows.order_by("hub", "organisation")[:MOST_MEMBERS]]


def member_state(it: Progress, version: int, *, late: bool) -> RemoteState:
    """As for members of this hub (hashshare/selectors/propagation.py)."""
    purged_at = it.first_purged_at if (it.purged_now or 0) >= version else None
    if it.applied_at is not None:
        state = "purged" if purged_at is not None else "applied"
    elif not it.access:
        state = "left"
    else:
        state = "overdue" if late else "waiting"
    return RemoteState(it.organisation, it.name, it.country, it.applied_at, purged_at, state)


def relayed_statements(leaves: Sequence[Leaf]) -> dict[int, tuple[str, bytes]]:
    """For `Extension.statements`."""
    rows = RemoteAcknowledgement.objects.filter(leaf__in=leaves).values_list("leaf", "statement", "public_key")
    return {leaf: (statement, bytes(key)) for leaf, statement, key in rows}
