"""Recording that a manifest was served in full."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from hashshare.models import Delivery
from hashshare.selectors.callers import Caller
from hashshare.selectors.logs import log_and_acknowledged
from hashshare.selectors.objects import TargetObject, manifest_version
from hashshare.services.logs import hidden_leaf, log_of
from hashshare.wire import errors
from hashshare.wire.log.rows import DeliveryRow


@transaction.atomic
def record_delivery(*, caller: Caller, target: TargetObject, now: datetime) -> Delivery:
    """One row for each manifest served in full, repeats included: it is the record of what was sent.

    Its leaf in the publisher's log is written with it, or neither is.
    """
    if not target.is_manifest:
        raise errors.UsageError("A delivery is of a manifest.")
    hash_list, organisation = target.list, caller.organisation
    log_id, acknowledged = log_and_acknowledged(hash_list=hash_list, organisation=organisation)
    delivery = Delivery.objects.create(
        organisation=organisation,
        list=hash_list,
        version=manifest_version(target=target),
        acknowledged=acknowledged,
        manifest_digest=target.digest,
        bytes=target.length,
        key=caller.key_id[:64],
        at=now,
    )
    leaf = hidden_leaf(log_id or log_of(hash_list.publisher, now=now).pk, row_of(delivery), now)
    leaf.organisation, leaf.list, leaf.delivery = organisation, hash_list, delivery
    leaf.save(force_insert=True)
    return delivery


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
