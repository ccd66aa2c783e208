"""What the hub signs for a publisher: which versions belong together (snapshot), and that this is the latest
(timestamp). Neither says anything about content, and both name length and SHA-256, so one version is one file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from securesystemslib.signer import Signer
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp

from hashshare.wire.repository.metadata import (
    MAJOR,
    SNAPSHOT,
    SNAPSHOT_LIFE,
    TARGETS,
    TIMESTAMP_LIFE,
    RoleFile,
    read_typed,
    write_metadata,
)


def sign_snapshot(
    *,
    targets: bytes,
    feeds: Mapping[str, bytes],
    major: bytes | None = None,
    version: int,
    signer: Signer,
    now: datetime,
    life: timedelta = SNAPSHOT_LIFE,
    before: bytes | None = None,
) -> bytes:
    """Snapshot metadata `version` over the accepted targets and each list's accepted feed metadata (by list id),
    and that of the major role once there is any.

    A role that was ever in a snapshot must be in every later one, or members refuse it. What the snapshot `before`
    names and is not given here, as a list that did not cross to the hub which took over, is named as it was.
    """
    files = [read_typed(TARGETS, targets, Targets)]
    files += [read_typed(list_id, body, Targets) for list_id, body in sorted(feeds.items())]
    files += [read_typed(MAJOR, major, Targets)] if major is not None else []
    meta = dict(read_typed(SNAPSHOT, before, Snapshot).signed.meta) if before is not None else {}
    meta |= {f"{file.role}.json": _meta_file(file) for file in files}
    snapshot = Metadata(Snapshot(version=version, expires=(now + life).replace(microsecond=0), meta=meta))
    snapshot.sign(signer)
    return write_metadata(snapshot)


def sign_timestamp(
    *, snapshot: bytes, version: int, signer: Signer, now: datetime, life: timedelta = TIMESTAMP_LIFE
) -> bytes:
    """Timestamp metadata `version` naming `snapshot`; signed again under the next version to stay fresh."""
    named = _meta_file(read_typed(SNAPSHOT, snapshot, Snapshot))
    expires = (now + life).replace(microsecond=0)
    timestamp = Metadata(Timestamp(version=version, expires=expires, snapshot_meta=named))
    timestamp.sign(signer)
    return write_metadata(timestamp)


def _meta_file(file: RoleFile[Targets] | RoleFile[Snapshot]) -> MetaFile:
    return MetaFile(file.version, len(file.body), {"sha256": hashlib.sha256(file.body).hexdigest()})
