"""The metadata of a publisher as it was last verified and is kept here: what it says, and when it ends."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from tuf.api.metadata import Metadata, Targets, Timestamp

from hashshare.client.home import Home
from hashshare.client.trust import metadata_dir
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.repository import hosted_lists


def feed_metadata(home: Home, domain: str, list_id: str) -> Targets:
    """The feed role's signed part as last verified and kept. Raises MalformedMetadata when there is none."""
    return cast("Targets", kept_role(home, domain, list_id))


def is_hosted(home: Home, domain: str, list_id: str) -> bool:
    """Whether the publisher's targets, as last verified, say that a hub keeps the list's key and signs with it."""
    path = metadata_dir(home, domain) / "targets.json"
    return path.is_file() and list_id in hosted_lists(path.read_bytes())


def timestamp_due(home: Home, domain: str, *, now: datetime) -> bool:
    """Whether the kept timestamp has under a quarter of its life left (or is missing), so that a poll that shows
    nothing new must be checked against the signed metadata: a frozen hub shows itself so.
    """
    path = metadata_dir(home, domain) / "timestamp.json"
    try:
        fetched = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        expires = cast("Timestamp", kept_role(home, domain, "timestamp")).expires
    except (OSError, MalformedMetadata):
        return True
    life = max(expires - fetched, timedelta(0))
    return expires - now < life / 4


def has_ended(home: Home, domain: str, list_id: str, *, now: datetime) -> bool:
    """Whether a role that the publisher signs has ended as it is kept here, so that its renewal must be looked for, and
    its absence told, at every sync.
    """
    ends = expiries(home, domain, list_id)
    return any(ends[role] <= now for role in ("root", "targets", "feed") if role in ends)


KEPT: Final = ("root", "targets", "snapshot", "timestamp")


def expiries(home: Home, domain: str, list_id: str) -> dict[str, datetime]:
    """When each kept role ends: {"timestamp": ..., "feed": ..., ...}; roles not held are left out."""
    found: dict[str, datetime] = {}
    for label, role in (*((name, name) for name in KEPT), ("feed", list_id)):
        with contextlib.suppress(MalformedMetadata):
            found[label] = kept_role(home, domain, role).expires
    return found


def timestamp_keys(home: Home, domain: str) -> tuple[str, ...]:
    """Ids of the keys that signed the timestamp that is kept, of those that the root names for it."""
    try:
        named = set(kept_role(home, domain, "root").roles["timestamp"].keyids)
        kept = Metadata[Any].from_file(str(metadata_dir(home, domain) / "timestamp.json"))
    except Exception:  # noqa: BLE001 - whatever is wrong with the file, another check says it
        return ()
    return tuple(sorted(named & set(kept.signatures)))


def kept_role(home: Home, domain: str, role: str) -> Any:
    """The signed part of a role. Raises MalformedMetadata when there is none that can be read."""
    try:
        return Metadata[Any].from_file(str(metadata_dir(home, domain) / f"{role}.json")).signed
    except Exception as error:
        raise MalformedMetadata(f"{domain}: no readable {role} metadata is held.") from error
