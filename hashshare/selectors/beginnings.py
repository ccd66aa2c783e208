"""Whether a publisher may begin anew under its own name, and whether a commit does so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hashshare.models import Beginning, Publisher, Subscription
from hashshare.selectors.entitlements import in_force
from hashshare.wire.repository import read_role, root_fingerprint


def open_beginning(publisher: Publisher, *, now: datetime) -> Beginning | None:
    """What an operator allowed and nobody has used or withdrawn, until it ends."""
    rows = Beginning.objects.filter(publisher=publisher, withdrawn_at=None, begun_at=None, ends_at__gt=now)
    return rows.filter(before=publisher.root_fingerprint).first()


def begins_anew(publisher: Publisher, roles: Mapping[str, bytes], *, now: datetime) -> bool:
    """Whether the commit carries another first root than the one that stands, and an operator allows it.

    Not while a restored hub awaits the publisher. Raises MalformedMetadata for what is no root.
    """
    root = roles.get("root")
    if root is None or not publisher.root_fingerprint or publisher.awaited_since is not None:
        return False
    another = read_role("root", root).version == 1 and root_fingerprint(root) != publisher.root_fingerprint
    return another and open_beginning(publisher, now=now) is not None


def subscribers(*, publisher: Publisher, now: datetime) -> int:
    """How many organisations receive a list of the publisher."""
    rows = Subscription.objects.filter(in_force(now), list__publisher=publisher)
    return rows.values("organisation").distinct().count()
