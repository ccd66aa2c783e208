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
from datetime import datetime
from typing import Final, Self

from hashshare.wire.log.readable import read_entry, write_entry
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
        return write_entry(FORMAT, (self.publisher, self.before, self.after), self.at)

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        told = read_entry(entry, FORMAT, (DOMAIN, HUB, HUB), of="a publisher's new home")
        return told and cls(*told)
