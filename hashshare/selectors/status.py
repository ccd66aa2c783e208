"""Who am I to this hub: keys, clock, subscriptions, publishers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hashshare.models import OrganisationKey, Publisher, Subscription
from hashshare.selectors.callers import Caller
from hashshare.selectors.keys import OwnKey, own_keys
from hashshare.selectors.subscriptions import own_subscriptions


@dataclass(frozen=True, slots=True)
class Status:
    """`clock_skew_seconds` is the hub's clock minus the calling key's at its last signed request, None if none yet."""

    caller: Caller
    keys: list[OwnKey]
    clock_skew_seconds: int | None
    time: datetime
    subscriptions: list[Subscription]
    publishers: list[Publisher]


def status(*, caller: Caller, now: datetime) -> Status:
    mine = OrganisationKey.objects.filter(organisation=caller.organisation, fingerprint=caller.key_id)
    skew = mine.values_list("clock_skew_seconds", flat=True).first()
    publishers = list(Publisher.objects.filter(organisation=caller.organisation).order_by("domain"))
    return Status(
        caller, own_keys(caller=caller, now=now), skew, now, list(own_subscriptions(caller=caller)), publishers
    )
