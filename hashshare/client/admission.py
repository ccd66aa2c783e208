"""What a signed document or object must be, beside rightly signed, before it is used.

Whether it contradicts what is held is asked in succession and proving, and how much of that it takes in losses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from hashshare.client.held import HeldObject
from hashshare.wire.documents import write_time
from hashshare.wire.entries import Kind, ListFormat
from hashshare.wire.errors import MalformedManifest, MalformedSegment
from hashshare.wire.manifest import Manifest
from hashshare.wire.segments import SegmentFacts, verify_segment

VERIFY_MEMORY: Final = "128MiB"
CLOCKS: Final = timedelta(days=1)
"""How far two clocks may be apart. What lapses does so by the day."""


def check_built(manifest: Manifest, *, now: datetime) -> None:
    """Raises MalformedManifest for a base from the future, which could leave out what has not lapsed yet."""
    if manifest.base.built_at > now + CLOCKS:
        raise MalformedManifest(
            f"The base of {manifest.list_name} says that it was built at {write_time(manifest.base.built_at)}, which is"
            " in the future; the last good state stays in use.",
            next_step="Check this machine's clock; if it is right, tell the publisher.",
        )


def check_object(path: Path, item: HeldObject, fmt: ListFormat) -> SegmentFacts:
    """Verify a file whose digest was checked as the segment that the signed documents describe.

    Raises MalformedSegment.
    """
    kind: Kind = "delta" if item.from_version else "base"
    facts = verify_segment(path, fmt=fmt, kind=kind, sha256=item.sha256, memory=VERIFY_MEMORY)
    if (facts.rows, facts.withdrawals) != (item.rows, item.withdrawals):
        raise MalformedSegment(
            f"{item.path} has {facts.rows:,} rows, {facts.withdrawals:,} of them withdrawals; "
            f"{item.rows:,} and {item.withdrawals:,} were signed."
        )
    if kind == "base" and (facts.low, facts.high) != (item.low, item.high):
        raise MalformedSegment(
            f"{item.path} has the keys {facts.low} to {facts.high}; {item.low} to {item.high} were signed."
        )
    return facts
