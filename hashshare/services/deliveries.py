"""Recording that a manifest was served in full."""

from __future__ import annotations

from datetime import datetime

from hashshare.models import Delivery
from hashshare.selectors.callers import Caller
from hashshare.selectors.objects import TargetObject, manifest_version
from hashshare.wire import errors


def record_delivery(*, caller: Caller, target: TargetObject, now: datetime) -> Delivery:
    """One row for each manifest served in full, repeats included: it is the record of what was sent."""
    if not target.is_manifest:
        raise errors.UsageError("A delivery is of a manifest.")
    return Delivery.objects.create(
        organisation=caller.organisation,
        list=target.list,
        version=manifest_version(target=target),
        manifest_digest=target.digest,
        bytes=target.length,
        key=caller.key_id[:64],
        at=now,
    )
