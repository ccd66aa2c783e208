"""What became of another hub that this one knows as its peer: a leaf of the publication log, for all to read.

    hashshare-peer/1
    south.example
    accepted
    (fingerprint of that hub, 64 hex digits)
    2026-11-28T12:00:00Z

Lists that cross to a peer reach its members, so whom a hub holds for which hub is nothing that it could take back
later. Who did it, and why, stands in a leaf of its own that hides it (`deeds`). Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from hashshare.wire.documents import TIME, write_time
from hashshare.wire.errors import MalformedLog
from hashshare.wire.manifest import HUB
from hashshare.wire.objects import SHA256

FORMAT: Final = "hashshare-peer/1"
CHANGES: Final = frozenset({"accepted", "suspended", "resumed", "ended"})


@dataclass(frozen=True, slots=True)
class PeerChange:
    """`fingerprint` in hex: of the hub's name, address and keys as they were accepted last."""

    hub: str
    change: str
    fingerprint: str
    at: datetime

    def to_entry(self) -> bytes:
        lines = (FORMAT, self.hub, self.change, self.fingerprint, write_time(self.at))
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        if not entry.startswith(f"{FORMAT}\n".encode()):
            return None
        found = cls._read(entry.decode("utf-8", errors="replace").removesuffix("\n").split("\n"))
        if found is None or found.to_entry() != entry:
            raise MalformedLog("A leaf that tells of a peer is not written as it must be.")
        return found

    @classmethod
    def _read(cls, lines: list[str]) -> Self | None:
        if len(lines) != 5 or lines[2] not in CHANGES or not (HUB.fullmatch(lines[1]) and SHA256.fullmatch(lines[3])):
            return None
        try:
            at = datetime.strptime(lines[4], TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(lines[1], lines[2], lines[3], at)
