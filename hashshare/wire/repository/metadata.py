"""Reading one TUF metadata file strictly, and the names such files have. What a role may say is for `shapes`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from hashshare.wire import limits
from hashshare.wire.documents import MAX_INTEGER, read_object
from hashshare.wire.errors import MalformedMetadata
from hashshare.wire.objects import LIST_ID

S = TypeVar("S", Root, Timestamp, Snapshot, Targets)
"""The payloads that `tuf.api.metadata.Metadata` may carry."""

ROOT: Final = "root"
TARGETS: Final = "targets"
SNAPSHOT: Final = "snapshot"
TIMESTAMP: Final = "timestamp"
MAJOR: Final = "major"
"""A delegated role like a list's feed, of threshold two or more; no list id is spelled like that."""

MAJOR_THRESHOLD: Final = 2
"""At least so many of its keys sign."""

MAJOR_PATHS: Final = "*/major-*.json"

ROOT_LIFE: Final = timedelta(days=365)
TARGETS_LIFE: Final = timedelta(days=90)
FEED_LIFE: Final = timedelta(days=14)
MAJOR_LIFE: Final = timedelta(days=3 * 365)
"""Long, since it is looked at by members that were away, and names each manifest that it stands for."""
SNAPSHOT_LIFE: Final = timedelta(days=7)
TIMESTAMP_LIFE: Final = timedelta(hours=24)

_VERSIONED = re.compile(rf"([1-9][0-9]{{0,15}})\.(root|snapshot|targets|major|{LIST_ID.pattern})\.json")


@dataclass(frozen=True, slots=True)
class RoleFile(Generic[S]):
    """One metadata file: the role's name ("root", "targets", a list id ...), the exact bytes, what they say.

    Reading proves nothing about who signed it.
    """

    role: str
    body: bytes
    metadata: Metadata[S]

    @property
    def signed(self) -> S:
        return self.metadata.signed

    @property
    def version(self) -> int:
        return self.signed.version

    @property
    def expires(self) -> datetime:
        """Aware, UTC; the metadata is expired from this moment on."""
        return self.signed.expires

    @property
    def name(self) -> str:
        """The file's name under the metadata URL."""
        return metadata_name(self.role, self.version)


def read_role(role: str, body: bytes) -> RoleFile[Any]:
    """Read `body` as metadata of `role`; raises MalformedMetadata unless it is strict JSON of that role's type."""
    return read_typed(role, body, _TYPES.get(role, Targets))


def read_typed(role: str, body: bytes, kind: type[S]) -> RoleFile[S]:
    """`read_role` for a caller that knows the type."""
    document = read_object(body, limit=limits.MAX_METADATA, error=MalformedMetadata, what=f"{role} metadata")
    version = document.get("signed", {}).get("version") if isinstance(document.get("signed"), dict) else None
    if type(version) is not int or not 1 <= version <= MAX_INTEGER:
        raise MalformedMetadata(f"The {role} metadata has no whole version from 1.", role=role)
    try:
        metadata: Metadata[S] = Metadata.from_dict(document)
        metadata.signed_bytes  # noqa: B018 - raises where there is no canonical form that a signature could be over
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise MalformedMetadata(f"The {role} metadata cannot be read: {fault!r}", role=role) from fault
    if not isinstance(metadata.signed, kind):
        raise MalformedMetadata(f"This is {metadata.signed.type} metadata, not that of {role}.", role=role)
    return RoleFile(role, body, metadata)


def write_metadata(metadata: Metadata[S]) -> bytes:
    """The bytes to store and serve; from here on they are never re-encoded."""
    return metadata.to_bytes(JSONSerializer(compact=True))


def metadata_name(role: str, version: int) -> str:
    """`3.root.json`; the timestamp alone carries no version (TUF specification 6.2)."""
    return "timestamp.json" if role == TIMESTAMP else f"{version}.{role}.json"


def parse_metadata_name(name: str) -> tuple[str, int | None] | None:
    """Role and version of a file name, version None for the timestamp; None for any other text."""
    if name == "timestamp.json":
        return TIMESTAMP, None
    match = _VERSIONED.fullmatch(name)
    return (match[2], int(match[1])) if match else None


def root_fingerprint(first_root: bytes) -> str:
    """A publisher's root fingerprint: lower-case hex SHA-256 of the bytes of its root metadata version 1.

    Stable over key rotations, since a client starts from version 1. Raises MalformedMetadata for another version.
    """
    if read_typed(ROOT, first_root, Root).version != 1:
        raise MalformedMetadata("A publisher's fingerprint is that of its root metadata version 1.", role=ROOT)
    return hashlib.sha256(first_root).hexdigest()


def grouped(fingerprint: str) -> str:
    """For people to read out: groups of four, separated by spaces."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))


_TYPES: Final[dict[str, type[Signed]]] = {ROOT: Root, TARGETS: Targets, SNAPSHOT: Snapshot, TIMESTAMP: Timestamp}
