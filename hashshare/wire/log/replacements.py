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
from datetime import datetime
from typing import Final, Self

from hashshare.wire.log.readable import read_entry, write_entry
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
        return write_entry(FORMAT, (self.publisher, self.before, self.after), self.at)

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        told = read_entry(entry, FORMAT, (DOMAIN, SHA256, SHA256), of="a replaced root")
        return told and cls(*told)
