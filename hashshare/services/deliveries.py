"""Recording that a manifest was served in full."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from hashshare.models import Delivery, Leaf
from hashshare.selectors.callers import Caller
from hashshare.selectors.logs import log_and_acknowledged
from hashshare.selectors.objects import TargetObject, manifest_version
from hashshare.services.logs import hidden_leaf, log_of
from hashshare.wire import errors
from hashshare.wire.log.rows import DeliveryRow

INSERT: Final = """
    WITH delivery AS (
        INSERT INTO hashshare_delivery
            (organisation_id, list_id, version, acknowledged, manifest_digest, bytes, key, at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
    ), seen_key AS (
        UPDATE hashshare_organisationkey SET last_synced_at = %s
        WHERE fingerprint = %s AND (last_synced_at IS NULL OR last_synced_at < %s)
    ), seen_access_key AS (
        UPDATE hashshare_accesskey SET last_seen_at = %s
        WHERE prefix = %s AND (last_seen_at IS NULL OR last_seen_at < %s)
    )
    INSERT INTO hashshare_leaf (log_id, kind, organisation_id, list_id, delivery_id, nonce, row, entry, created_at)
    SELECT %s, %s, %s, %s, id, %s, %s, %s, %s FROM delivery
    RETURNING delivery_id
"""
"""All in one statement: it is within a request, and a transaction of two would be four. When the key that fetches last
did so is noted with it, at most hourly; the poll, which fetches nothing, writes nothing."""

SEEN_EVERY: Final = timedelta(hours=1)


def record_delivery(*, caller: Caller, target: TargetObject, now: datetime) -> Delivery:
    """One row for each manifest served in full, repeats included: it is the record of what was sent.

    Its leaf in the publisher's log is written with it, or neither is.
    """
    if not target.is_manifest:
        raise errors.UsageError("A delivery is of a manifest.")
    hash_list, organisation = target.list, caller.organisation
    found = log_and_acknowledged(hash_list=hash_list, organisation=organisation)
    log_id, acknowledged = found or (log_of(hash_list.publisher, now=now).pk, None)
    delivery = Delivery(
        organisation=organisation,
        list=hash_list,
        version=manifest_version(target=target),
        acknowledged=acknowledged,
        manifest_digest=target.digest,
        bytes=target.length,
        key=caller.key_id[:64],
        at=now,
    )
    delivery.pk = insert(delivery, hidden_leaf(log_id, row_of(delivery), now))
    return delivery


def insert(delivery: Delivery, leaf: Leaf) -> int:
    """The delivery's id."""
    it, owner = delivery, [delivery.organisation_id, delivery.list_id]
    told: list[Any] = [*owner, it.version, it.acknowledged, it.manifest_digest, it.bytes, it.key, it.at]
    hidden: list[Any] = [leaf.log_id, leaf.kind, *owner, leaf.nonce, leaf.row, leaf.entry, leaf.created_at]
    with connection.cursor() as cursor:
        seen: list[Any] = [it.at, it.key, it.at - SEEN_EVERY] * 2
        cursor.execute(INSERT, told + seen + hidden)
        ((pk,),) = cursor.fetchall()
    return int(pk)


def row_of(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(
        organisation=delivery.organisation.slug,
        list_name=delivery.list.name,
        list_id=delivery.list.tuf_id,
        version=delivery.version,
        acknowledged=delivery.acknowledged,
        manifest_sha256=delivery.manifest_digest,
        bytes=delivery.bytes,
        at=delivery.at,
        key=delivery.key,
    )
