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
from datetime import datetime
from typing import Final, Self

from hashshare.wire.log.readable import read_entry, write_entry
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
        return write_entry(FORMAT, (self.hub, self.change, self.fingerprint), self.at)

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        told = read_entry(entry, FORMAT, (HUB, CHANGES, SHA256), of="a peer")
        return told and cls(*told)
