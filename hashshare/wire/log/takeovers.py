"""A publisher's home that moved from one hub to another: a leaf of the publication log of either, for all to read.

    hashshare-taken-over/1
    aurora.example
    north.example        (the hub before)
    south.example        (the hub from now on)
    2026-11-28T12:00:00Z

The publisher's root says which hub may sign; which one does, and since when, is said here. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from hashshare.wire.documents import TIME, write_time
from hashshare.wire.errors import MalformedLog
from hashshare.wire.manifest import DOMAIN, HUB

FORMAT: Final = "hashshare-taken-over/1"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """`before` and `after` are what hubs call each other: host, with its port if it has one."""

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
        if not (len(lines) == 5 and DOMAIN.fullmatch(lines[1]) and all(map(HUB.fullmatch, lines[2:4]))):
            raise MalformedLog("A leaf that tells of a publisher's new home is not written as it must be.")
        try:
            at = datetime.strptime(lines[4], TIME).replace(tzinfo=UTC)
        except ValueError as fault:
            raise MalformedLog("A leaf that tells of a publisher's new home has no time.") from fault
        found = cls(lines[1], lines[2], lines[3], at)
        if found.to_entry() != entry:
            raise MalformedLog("A leaf that tells of a publisher's new home is not written as it must be.")
        return found
