"""What the feed keys of this machine have signed here: one line for each signature, on the disk before it leaves.

After a theft it tells apart what this machine published and what somebody else did (client.signatures).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hashshare.client.home import make_private_folder
from hashshare.client.publisher import OwnPublisher
from hashshare.durable import append_lines
from hashshare.wire.documents import write_time
from hashshare.wire.repository import feed_manifest, read_role

_LINE: Final = re.compile(r"(\d+) ([0-9a-f]{64}) ([0-9a-f]{64}) (\S+)")


def note_signed(mine: OwnPublisher, list_id: str, feed: bytes, *, now: datetime) -> None:
    """Before the feed metadata leaves this machine: its role version, the manifest's digest and its own."""
    path = mine.folder / "signed" / f"{list_id}.txt"
    make_private_folder(path.parent)
    file, manifest = read_role(list_id, feed), feed_manifest(feed, list_id=list_id)
    line = f"{file.version} {manifest.sha256} {hashlib.sha256(feed).hexdigest()} {write_time(now)}\n"
    append_lines(path, [line.encode("ascii")])


@dataclass(frozen=True, slots=True)
class Record:
    """By role version: the manifests' digests and the metadata's that were signed here."""

    manifests: Mapping[int, frozenset[str]]
    feeds: Mapping[int, frozenset[str]]

    def knows(self, role_version: int, *, manifest: str = "", feed: str = "") -> bool | None:
        """None for role versions from before the first line."""
        if not self.manifests or role_version < min(self.manifests):
            return None
        kept, digest = (self.feeds, feed) if feed else (self.manifests, manifest)
        return digest in kept.get(role_version, frozenset())


def record(mine: OwnPublisher, list_id: str) -> Record:
    """Lines that are not whole are passed over."""
    path = mine.folder / "signed" / f"{list_id}.txt"
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    manifests: dict[int, frozenset[str]] = {}
    feeds: dict[int, frozenset[str]] = {}
    for match in filter(None, map(_LINE.fullmatch, text.splitlines())):
        role_version = int(match[1])
        manifests[role_version] = manifests.get(role_version, frozenset()) | {match[2]}
        feeds[role_version] = feeds.get(role_version, frozenset()) | {match[3]}
    return Record(manifests, feeds)
