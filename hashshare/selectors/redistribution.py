"""What the hub asks of its extensions before a list is passed on: between hubs, and here to whom."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import and_

from django.db.models import Q

from hashshare.extensions import extensions
from hashshare.models import HashList, Organisation


def may_cross_to(hub: Organisation, now: datetime) -> Q:
    """The lists that another hub may be served, of those that it is subscribed to: none, unless somebody says which."""
    conditions = [extension.may_cross(hub, now) for extension in extensions() if extension.may_cross is not None]
    return reduce(and_, conditions) if conditions else Q(pk__in=[])


def why_not(found: HashList, organisation: Organisation, now: datetime) -> str:
    """The reason why the organisation may not be granted the list, as a sentence; "" if it may."""
    reasons = (extension.why_not(found, organisation, now) for extension in extensions())
    return next(filter(None, reasons), "")


def decided_at(found: HashList) -> str:
    """The hub at which requests for the list are decided on; "" if it is this one."""
    hubs = (extension.decided_at(found) for extension in extensions())
    return next(filter(None, hubs), "")


def decided_by_this_hub(found: HashList) -> bool:
    """Whether the list is a copy whose publisher has left the members of this hub to its operator."""
    return found.publisher.mirrored_from_id is not None and not decided_at(found)


def who_decides(found: HashList) -> str:
    """On requests for the list, as the one who asked reads it."""
    if decided_by_this_hub(found):
        return "the operator of this hub"
    hub, hotline = decided_at(found), found.publisher.organisation.name
    return f"{hotline} at {hub}" if hub else hotline
