"""What a sync tells while it runs and when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did to one list.

    `before` is None on the first sync. `segments` objects of `bytes` were downloaded, `made` were made of held ones. No
    row withdrawn at version `purged` or before is left in the store.
    """

    name: str
    list_id: str
    before: int | None
    version: int
    purged: int
    segments: int
    bytes: int
    made: int
    upserts: int
    withdrawals: int
    entries: int
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
