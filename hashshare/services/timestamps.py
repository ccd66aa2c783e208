"""What the hub signs: snapshots and timestamps of every publisher, and signing them again before they expire."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from hashshare.hub_keys import hub_keys
from hashshare.models import Metadata, Publisher
from hashshare.selectors.entitlements import refuse_mirrored
from hashshare.selectors.metadata import newest
from hashshare.services.runs import spared
from hashshare.services.trust import trusted_of
from hashshare.wire.repository import read_role, sign_snapshot, sign_timestamp

SNAPSHOT_RENEWED_BEFORE = timedelta(days=4)
TIMESTAMP_ENDING = timedelta(hours=12)
SNAPSHOTS_KEPT = timedelta(days=2)
"""Members that read an older timestamp a moment ago still fetch the snapshot it names."""


def sign_snapshot_and_timestamp(*, publisher: Publisher, now: datetime) -> None:
    """The next snapshot over all that is accepted and the next timestamp over it; nothing before there are targets, nor
    while the hub may lack newer ones (selectors/recovery.py).

    Call inside the transaction that holds the publisher's row locked.
    """
    refuse_mirrored(publisher)
    trusted = trusted_of(publisher)
    if trusted.targets is None or publisher.awaited_since is not None:
        return
    standing = newest(publisher=publisher, role="snapshot")
    body = sign_snapshot(
        targets=trusted.targets,
        feeds=trusted.feeds,
        major=trusted.major,
        version=next_version(publisher, "snapshot"),
        signer=hub_keys().online,
        now=now,
        before=standing.content if standing else None,
    )
    keep(publisher, "snapshot", body, now)
    sign_next_timestamp(publisher, body, now)


def sign_next_timestamp(publisher: Publisher, snapshot: bytes, now: datetime) -> None:
    """Replaces the one before: only the newest timestamp is ever asked for."""
    version = next_version(publisher, "timestamp")
    body = sign_timestamp(snapshot=snapshot, version=version, signer=hub_keys().online, now=now)
    Metadata.objects.filter(publisher=publisher, role="timestamp").delete()
    keep(publisher, "timestamp", body, now)


def keep(publisher: Publisher, role: str, body: bytes, now: datetime) -> None:
    file = read_role(role, body)
    Metadata.objects.create(
        publisher=publisher,
        role=role,
        version=file.version,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        expires_at=file.expires,
        accepted_at=now,
    )


def next_version(publisher: Publisher, role: str) -> int:
    """Above any that was ever signed, also by a hub that this one is a restored copy of."""
    return max(version_of(publisher, role), publisher.version_floor) + 1


def version_of(publisher: Publisher, role: str) -> int:
    row = Metadata.objects.filter(publisher=publisher, role=role).order_by("-version").only("version").first()
    return row.version if row else 0


def signed_here() -> QuerySet[Publisher]:
    """Publishers that are at home at this hub and that it need not await."""
    return Publisher.objects.filter(awaited_since=None, mirrored_from=None)


def refresh_all(*, now: datetime) -> int:
    """Sign every snapshot and timestamp anew, as after the hub's key was replaced; how many publishers."""
    publishers = signed_here().exclude(root_fingerprint="")
    for publisher_id in publishers.values_list("pk", flat=True):
        with transaction.atomic():
            locked = Publisher.objects.select_for_update().get(pk=publisher_id)
            sign_snapshot_and_timestamp(publisher=locked, now=now)
    return publishers.count()


def refresh_ending(*, now: datetime) -> int:
    """Sign again what would soon expire, as after the hub was down; how many publishers. Cheap when nothing would."""
    ending = Metadata.objects.filter(role="timestamp", expires_at__lt=now + TIMESTAMP_ENDING)
    ending = ending.filter(publisher__in=signed_here())
    return refresh(list(ending.values_list("publisher", flat=True)), now)


def refresh_timestamps(*, now: datetime) -> int:
    """Sign every publisher's timestamp again, and its snapshot when that is near its end; how many publishers."""
    publishers = signed_here().exclude(root_fingerprint="")
    return refresh(list(publishers.values_list("pk", flat=True)), now)


def refresh(publishers: Sequence[uuid.UUID], now: datetime) -> int:
    """How many it could; one that fails is named and does not keep the others from being fresh."""
    count = 0
    for publisher_id in publishers:
        with spared("Publisher %s could not be signed again.", publisher_id):
            refresh_publisher(publisher_id, now)
            count += 1
    return count


@transaction.atomic
def refresh_publisher(publisher_id: uuid.UUID, now: datetime) -> None:
    publisher = Publisher.objects.select_for_update().get(pk=publisher_id)
    if publisher.awaited_since is not None or publisher.mirrored_from_id is not None:
        return
    snapshot = newest(publisher=publisher, role="snapshot")
    if snapshot is None or snapshot.expires_at - now < SNAPSHOT_RENEWED_BEFORE:
        sign_snapshot_and_timestamp(publisher=publisher, now=now)
    else:
        sign_next_timestamp(publisher, snapshot.content, now)
    drop_old_snapshots(publisher, now)


def drop_old_snapshots(publisher: Publisher, now: datetime) -> None:
    old = Metadata.objects.filter(publisher=publisher, role="snapshot", accepted_at__lt=now - SNAPSHOTS_KEPT)
    old.filter(version__lt=version_of(publisher, "snapshot")).delete()
