"""A hub that cosigns other hubs' logs with another key from now on: a leaf of its publication log, for all to read.

    hashshare-witness-key/1
    south.example
    (raw Ed25519 key that it cosigned with before, 64 hex digits)
    (the key from now on)
    2026-11-28T12:00:00Z

Written when it was restored from a backup: with the key before it has cosigned what it no longer knows, so that key
never cosigns again. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from hashshare.wire.log.readable import read_entry, write_entry
from hashshare.wire.manifest import HUB
from hashshare.wire.objects import SHA256

FORMAT: Final = "hashshare-witness-key/1"


@dataclass(frozen=True, slots=True)
class WitnessKeyReplaced:
    """`before` and `after` are raw public keys in hex, of the witness `<hub>/witness`."""

    hub: str
    before: str
    after: str
    at: datetime

    def to_entry(self) -> bytes:
        return write_entry(FORMAT, (self.hub, self.before, self.after), self.at)

    @classmethod
    def read(cls, entry: bytes) -> Self | None:
        """None for an entry of another kind; raises MalformedLog for one of this kind that is not written as above."""
        told = read_entry(entry, FORMAT, (HUB, SHA256, SHA256), of="a witness's new key")
        return told and cls(*told)
