"""Members that state what they applied, at the time they are told to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hashshare.models import Acknowledgement, Delivery
from hashshare.selectors.objects import target_object
from hashshare.services.acknowledgements import acknowledge
from hashshare.services.deliveries import record_delivery
from hashshare.wire.log import Acknowledgement as Statement
from hashshare.wire.log import sign_acknowledgement
from tests import builders as b

HUB = "http://127.0.0.1:8000"


def digests(feed: b.Feed) -> dict[int, str]:
    """Of the published manifests, by version."""
    return dict(feed.row.releases.filter(state="published").values_list("version", "manifest_digest"))


def statement(who: b.Party, feed: b.Feed, version: int = 1, **changes: Any) -> Statement:
    made = Statement(
        organisation=who.organisation.slug,
        hub=HUB,
        list_name=feed.row.name,
        list_id=feed.list_id,
        version=version,
        purged=0,
        manifest_sha256=digests(feed).get(version, "0" * 64),
        at=b.now(),
    )
    return replace(made, **changes)


def state(
    who: b.Party, feed: b.Feed, version: int = 1, *, key: Any = None, now: datetime | None = None, **changes: Any
) -> tuple[Acknowledgement, bool]:
    """Signed by the party, or with `key`, and sent by it."""
    document = sign_acknowledgement(statement(who, feed, version, **changes), key=key or who.key)
    return acknowledge(caller=who.caller, document=document, now=now or b.now())


def deliver(who: b.Party, feed: b.Feed, version: int = 1, *, now: datetime | None = None) -> Delivery:
    """The manifest of that version, served in full."""
    target = target_object(
        caller=who.caller,
        domain=feed.publisher.domain,
        list_id=feed.list_id,
        digest=digests(feed)[version],
        name="manifest.json",
        now=b.now(),
    )
    return record_delivery(caller=who.caller, target=target, now=now or b.now())
