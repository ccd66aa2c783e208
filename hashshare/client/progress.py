"""What a sync tells while it runs and when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hashshare.wire.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did to one list.

    `before` is None on the first sync. `segments` objects of `bytes` were downloaded, `made` were made of held ones. No
    row withdrawn at version `purged` or before is left in the store. `upserts` (entries added or changed) and
    `withdrawals` count the operations past `before`, those of a segment that begins before it in full; None on the
    first sync and where the signed chain no longer reaches back to it. `entries_before` were held then. `damaged`
    names the files of that state which were found damaged or missing; the sync put them right.
    """

    name: str
    list_id: str
    before: int | None
    version: int
    purged: int
    segments: int
    bytes: int
    made: int
    upserts: int | None
    withdrawals: int | None
    entries: int
    entries_before: int | None
    damaged: tuple[str, ...]
    full: bool
    trust: str

    @property
    def changed(self) -> bool:
        return self.before != self.version


def operations_past(before: int | None, manifest: Manifest) -> tuple[int, int] | tuple[None, None]:
    """Upserts and withdrawals of the chain past version `before`, the base's own included; None if it begins later."""
    first = manifest.segments[0].from_version if manifest.segments else manifest.version
    if before is None or before < first:
        return None, None
    past = [segment for segment in manifest.segments if segment.to_version > before]
    return sum(segment.upserts for segment in past), sum(segment.withdrawals for segment in past)


class Progress(Protocol):
    """Told by sync how far a list's download is; the terminal draws it."""

    def start(self, name: str, *, before: int | None, version: int, objects: int, total: int) -> None: ...
    def advance(self, done: int) -> None: ...
    def finish(self) -> None: ...


class Silent:
    """No progress is shown."""

    def start(self, name: str, *, before: int | None, version: int, objects: int, total: int) -> None: ...
    def advance(self, done: int) -> None: ...
    def finish(self) -> None: ...
