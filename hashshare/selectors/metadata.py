"""TUF metadata files as they are served: byte for byte what was signed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from hashshare.models import Metadata, Publisher
from hashshare.selectors.callers import Caller
from hashshare.selectors.entitlements import known_publisher, readable_list, readable_publisher
from hashshare.selectors.recovery import refuse_awaited
from hashshare.wire import errors

OFFICERS = ("root", "targets", "major")
FILENAME = re.compile(
    r"(?:(?P<version>[1-9][0-9]{0,17})\.)?(?P<role>root|targets|snapshot|timestamp|major|[0-9a-f]{16})\.json"
)


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """`immutable` files never change under their name; the others must be asked for each time: those of officers too,
    whose numbers begin at 1 again when a publisher begins anew.
    """

    content: bytes
    sha256: str
    immutable: bool


def metadata_file(*, caller: Caller, domain: str, filename: str, now: datetime) -> MetadataFile:
    """`timestamp.json`, `N.root.json`, `N.snapshot.json`, `N.targets.json`, `N.major.json` or
    `N.<list-id>.json`.

    Roots go to whoever sees the publisher in the catalogue, so that they can be pinned before a subscription.
    Raises NotEntitled, and NotFound for a caller who may read the publisher (the list, for its role); HubRestored for a
    timestamp that may not be the newest.
    """
    match = FILENAME.fullmatch(filename)
    if match and match["role"] == "root":
        publisher = known_publisher(caller=caller, domain=domain)
    else:
        publisher = readable_publisher(caller=caller, domain=domain, now=now)
    if match is None or (match["role"] == "timestamp") != (match["version"] is None):
        raise errors.NotFound
    role = match["role"]
    if role == "timestamp":
        refuse_awaited(publisher)
    if len(role) == 16:
        readable_list(caller=caller, domain=domain, tuf_id=role, now=now)
    rows = Metadata.objects.filter(publisher=publisher, role=role)
    row = rows.filter(version=match["version"]).first() if match["version"] else rows.first()
    if row is None:
        raise errors.NotFound
    return MetadataFile(row.content, row.sha256, immutable=role not in ("timestamp", *OFFICERS))


def newest(*, publisher: Publisher, role: str) -> Metadata | None:
    """The accepted metadata of a role with the highest version."""
    return Metadata.objects.filter(publisher=publisher, role=role).order_by("-version").first()
