"""The hub's application, but that its deliveries leave no leaf in the log: what the log adds is the difference.

For measuring only. A hub cannot be told to do so.
"""

from __future__ import annotations

from datetime import datetime

from config.wsgi import application
from hashshare.api import targets
from hashshare.models import Delivery
from hashshare.selectors.callers import Caller
from hashshare.selectors.objects import TargetObject, manifest_version

__all__ = ["application"]


def record_delivery(*, caller: Caller, target: TargetObject, now: datetime) -> Delivery:
    """The row alone."""
    return Delivery.objects.create(
        organisation=caller.organisation,
        list=target.list,
        version=manifest_version(target=target),
        manifest_digest=target.digest,
        bytes=target.length,
        key=caller.key_id[:64],
        at=now,
    )


vars(targets)["record_delivery"] = record_delivery
