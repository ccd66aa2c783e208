"""What the hub published of a publisher's lists, beside what was signed here: the rest is somebody else's.

The hub's word of what it published is compared with this machine's record (client.signed), and the signatures that it
still serves are checked. Another machine that signs the same lists has a record of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from securesystemslib.signer import Key
from tuf.api.metadata import Snapshot

from hashshare.client import trust
from hashshare.client.desk import OFFICERS
from hashshare.client.publisher import OwnList, OwnPublisher, find_list
from hashshare.client.session import Session
from hashshare.client.signed import record
from hashshare.client.signers import held_keys
from hashshare.client.standing import kept_standing
from hashshare.wire.errors import MalformedMetadata, NetworkError, NotFound
from hashshare.wire.repository import read_role
from hashshare.wire.repository.metadata import ROOT, SNAPSHOT, TARGETS, read_typed
from hashshare.wire.repository.rotation import feed_keys, officer_keys, signers_of

MOST: Final = 1_000
"""Signatures of one role that are looked at, newest first; the hub keeps those of a week."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One role version of a list at the hub. `version` is None for a mere refresh, `keyid` "" where the hub no longer
    serves the signature. `here`: whether this machine signed it; None for those from before its record began.
    """

    name: str
    role_version: int
    version: int | None
    at: str
    upserts: int
    withdrawals: int
    keyid: str
    here: bool | None

    def to_json(self) -> dict[str, Any]:
        return {
            "list": self.name,
            "role_version": self.role_version,
            "version": self.version,
            "published_at": self.at,
            "upserts": self.upserts,
            "withdrawals": self.withdrawals,
            "keyid": self.keyid or None,
            "signed_here": self.here,
        }


def signatures(session: Session, mine: OwnPublisher, *, since: datetime | None = None) -> list[Signature]:
    """What the hub published of the lists of this machine, list by list, newest first.

    `since` leaves out releases from before it; signatures that the hub still serves are all told. The publisher's
    metadata was refreshed before. Raises NetworkError, MalformedMetadata.
    """
    found: list[Signature] = []
    for own in (find_list(mine.home, f"{mine.domain}/{slug}") for slug in mine.slugs):
        rows = _releases(session, own, since)
        served = dict(_served(session, own))
        found += _of_list(own, rows, served, since)
    return found


def _of_list(
    own: OwnList, rows: Mapping[int, Mapping[str, Any]], served: Mapping[int, bytes], since: datetime | None
) -> Iterator[Signature]:
    known, keys = record(own.publisher, own.list_id), _known_keys(own)
    for role_version in sorted(rows.keys() | served.keys(), reverse=True):
        row, feed = rows.get(role_version), served.get(role_version)
        at = str(row.get("published_at") or "") if row else ""
        if feed is None and row is not None and _is_older(row, since):
            continue
        manifest = str(row.get("manifest_digest")) if row else ""
        digest = hashlib.sha256(feed).hexdigest() if feed is not None else ""
        signed = signers_of(own.list_id, feed, keys) if feed is not None else ()
        yield Signature(
            own.name,
            role_version,
            int(row["version"]) if row else None,
            at,
            int(row.get("upserts") or 0) if row else 0,
            int(row.get("withdrawals") or 0) if row else 0,
            signed[0] if signed else "",
            known.knows(role_version, manifest=manifest, feed=digest),
        )


def _known_keys(own: OwnList) -> Sequence[Key]:
    """Those that may sign the list now, and all that ever were on this machine, retired ones too."""
    targets = (trust.metadata_dir(own.publisher.home, own.publisher.domain) / "targets.json").read_bytes()
    mine = (key.public for key in held_keys(own.publisher.keys_folder))
    return [*feed_keys(targets).get(own.list_id, ()), *mine]


def _releases(session: Session, own: OwnList, since: datetime | None) -> dict[int, Mapping[str, Any]]:
    """Published releases as the hub tells them, by role version: page after page until one is older than `since`."""
    found: dict[int, Mapping[str, Any]] = {}
    oldest: int | None = None
    for _ in range(MOST):
        page = _page(session, own, oldest)
        found |= {int(row["role_version"]): row for row in page if row["state"] == "published"}
        versions = [int(row["version"]) for row in page]
        if not versions or (oldest is not None and min(versions) >= oldest) or _is_older(page[-1], since):
            break
        oldest = min(versions)
    return found


def _page(session: Session, own: OwnList, before: int | None) -> list[Mapping[str, Any]]:
    """Raises NetworkError for an answer that makes no sense."""
    params = None if before is None else {"before": str(before)}
    answer = session.get_json(f"lists/{own.publisher.domain}/{own.slug}/releases", params=params)
    rows = answer.get("releases") if isinstance(answer, dict) else None
    try:
        for row in rows or []:
            int(row["role_version"]), int(row["version"]), str(row["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise NetworkError(f"The hub's answer about the releases of {own.name} makes no sense.") from error
    return rows or []


def _is_older(row: Mapping[str, Any], since: datetime | None) -> bool:
    at = str(row.get("published_at") or "")
    return since is not None and bool(at) and datetime.fromisoformat(at) < since


def _served(session: Session, own: OwnList) -> Iterator[tuple[int, bytes]]:
    """Feed metadata that the hub still has, from the newest back."""
    folder = trust.metadata_dir(own.publisher.home, own.publisher.domain)
    named = read_typed(SNAPSHOT, (folder / "snapshot.json").read_bytes(), Snapshot).signed.meta
    meta = named.get(f"{own.list_id}.json")
    newest = meta.version if meta is not None else 0
    return _numbered(session, own.publisher.domain, own.list_id, newest)


def _numbered(session: Session, domain: str, role: str, newest: int) -> Iterator[tuple[int, bytes]]:
    """Version and bytes of a role's metadata, from the newest back as far as the hub serves it."""
    for version in range(newest, max(0, newest - MOST), -1):
        try:
            body = bytes(session.get(f"tuf/{domain}/metadata/{version}.{role}.json").content)
        except NotFound:
            return
        if read_role(role, body).version != version:
            raise MalformedMetadata(f"The hub serves other metadata as {version}.{role}.json.")
        yield version, body


# --- officers ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfficersSignatures:
    """One version of "root" or "targets" that the hub accepted, and the key ids of those who signed it."""

    role: str
    version: int
    keyids: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"role": self.role, "version": self.version, "signed_by": list(self.keyids)}


def officers_signatures(session: Session, mine: OwnPublisher) -> list[OfficersSignatures]:
    """Every root and the last targets, newest first, as they are kept at the hub; refreshed before.

    Looks for the signatures of every key that a root ever named for officers.
    """
    stands = kept_standing(mine.home, mine.domain)
    known = {key.keyid: key for root in stands.chain for role in OFFICERS for key in officer_keys(root, role)}
    newest = read_role(TARGETS, stands.targets).version if stands.targets is not None else 0
    found = [(ROOT, version, body) for version, body in reversed(list(enumerate(stands.chain, start=1)))]
    found += [(TARGETS, version, body) for version, body in _numbered(session, mine.domain, TARGETS, newest)]
    return [OfficersSignatures(role, version, signers_of(role, body, known.values())) for role, version, body in found]
