"""What is accepted of a publisher, as the wire format's judgement wants it."""

from __future__ import annotations

from hashshare.models import HashList, Metadata, Publisher
from hashshare.selectors.metadata import newest
from hashshare.wire.repository import Trusted


def trusted_of(publisher: Publisher) -> Trusted:
    """The latest root, targets and major, and each list's latest feed metadata by list id."""
    root, targets, major = (newest(publisher=publisher, role=role) for role in ("root", "targets", "major"))
    return Trusted(
        root.content if root else None,
        targets.content if targets else None,
        {row.role: row.content for row in feeds(publisher)},
        major.content if major else None,
    )


def feeds(publisher: Publisher) -> list[Metadata]:
    """The served feed metadata of every list that has any."""
    served = HashList.objects.filter(publisher=publisher, role_version__gt=0).values_list("tuf_id", "role_version")
    wanted = dict(served)
    rows = Metadata.objects.filter(publisher=publisher, role__in=wanted)
    return [row for row in rows.order_by("role", "version") if wanted[row.role] == row.version]
