"""What a sync tells while it runs and when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hashshare.wire.manifest import Segment


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did to one list.

    `before` is None on the first sync. `segments` objects of `bytes` were downloaded, `made` were made of held ones. No
    row withdrawn at version `purged` or before is left in the store. `upserts` (entries added or changed) and
    `withdrawals` count the operations since `before`, those of a segment that begins before it in full; None where
    that cannot be told, on the first sync and when the chain does not reach back so far. `entries_before` were held
    then. `damaged` names the files of that state which were found damaged or missing; the sync put them right.
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


def operations_since(chain: Sequence[Segment], before: int | None, *, version: int) -> tuple[int | None, int | None]:
    """Upserts and withdrawals of the releases past `before`, as far as segments were not merged across it.

    None and None where the chain does not reach back that far.
    """
    if before == version:
        return 0, 0
    past = [it for it in chain if before is not None and it.to_version > before]
    if before is None or not past or past[0].from_version > before:
        return None, None
    return sum(it.upserts for it in past), sum(it.withdrawals for it in past)
