"""A publisher's first root replaced without a signature of the old one: a leaf of the publication log, for all to read.

    hashshare-root-replaced/1
    aurora.example
    (fingerprint of the root before, 64 hex digits)
    (fingerprint of the root after)
    2026-11-28T12:00:00Z

Nothing in the metadata itself tells such a root from an impostor's, so the hub says it where it cannot take it back.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from hashshare.wire.documents import TIME, write_time
from hashshare.wire.errors import MalformedLog
from hashshare.wire.manifest import DOMAIN
from hashshare.wire.objects import SHA256

FORMAT: Final = "hashshare-root-replaced/1"


@dataclass(frozen=True, slots=True)
class RootReplaced:
    """`before` and `after` are root fingerprints in hex: SHA-256 of root metadata version 1."""

    publisher: str
    before: str
    after: str
    at: datetime

    def to_entry(self) -> bytes:
        lines = (FORMAT, self.publisher, self.before, self.after, write_time(self.at))
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        if not entry.startswith(f"{FORMAT}\n".encode()):
            return None
        lines = entry.decode("utf-8", errors="replace").removesuffix("\n").split("\n")
        if not (len(lines) == 5 and DOMAIN.fullmatch(lines[1]) and all(map(SHA256.fullmatch, lines[2:4]))):
            raise MalformedLog("A leaf that tells of a replaced root is not written as it must be.")
        try:
            at = datetime.strptime(lines[4], TIME).replace(tzinfo=UTC)
        except ValueError as fault:
            raise MalformedLog("A leaf that tells of a replaced root has no time.") from fault
        found = cls(lines[1], lines[2], lines[3], at)
        if found.to_entry() != entry:
            raise MalformedLog("A leaf that tells of a replaced root is not written as it must be.")
        return found
