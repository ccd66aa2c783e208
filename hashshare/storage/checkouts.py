"""Copies on this machine of objects that lie elsewhere, for the engine to read: bounded, and shared by all processes.

A file is a whole object whose digest was checked, or not there. Its modification time says when it was last asked for.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hashshare.storage.files import drop_parts, write_hashed
from hashshare.storage.keys import digest_of
from hashshare.wire.limits import MAX_OBJECT

IN_USE_SECONDS = 3600.0
"""What was asked for within this time is not evicted: a job may be reading it. A job that reads longer fails for once
and is tried again.
"""

MODE = 0o600


@dataclass(frozen=True, slots=True)
class Checkouts:
    """`<folder>/<list-id>/<sha256>.<name>`. At most `limit` bytes, what is in use apart."""

    folder: Path
    limit: int

    def get(self, key: str, fetch: Callable[[], Iterable[bytes]]) -> Path:
        """The copy, made of what `fetch` gives if it is missing; one process fetches and the others wait for it.

        Raises WrongDigest, and what `fetch` raises; keeps nothing then.
        """
        path = self.folder / key
        with self.turn(key):
            if used(path):
                return path
            part = self.part(key)
            try:
                write_hashed(part, fetch(), digest=digest_of(key), limit=MAX_OBJECT, mode=MODE)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        self.evict()
        return path

    def adopt(self, key: str, part: Path) -> None:
        """Keep a file of `part` as the copy: the worker that verifies it may be on this machine."""
        with self.turn(key):
            part.replace(self.folder / key)
        self.evict()

    def drop(self, key: str) -> None:
        with self.turn(key):
            (self.folder / key).unlink(missing_ok=True)

    def part(self, key: str) -> Path:
        """The path of a new file for an object on its way, beside where the copy will be."""
        folder = (self.folder / key).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f".{secrets.token_hex(8)}.part"

    def drop_unfinished(self, *, before: datetime) -> None:
        drop_parts(self.folder, "*/.*.part", before=before)

    @contextlib.contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Alone with this object, among all threads and processes of this machine. One lock serves a few objects."""
        locks = self.folder / "locks"
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(locks / digest_of(key)[:2], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def evict(self) -> None:
        """Remove what was unused longest until the rest is within the limit."""
        copies = sorted(self.copies())
        excess = sum(size for _, size, _ in copies) - self.limit
        for last_used, size, key in copies:
            if excess <= 0 or last_used > time.time() - IN_USE_SECONDS:
                return
            excess -= self.evict_one(key, last_used) * size

    def evict_one(self, key: str, last_used: float) -> bool:
        """Unless somebody has asked for it since."""
        path = self.folder / key
        with self.turn(key), contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime == last_used:
                path.unlink()
                return True
        return False

    def copies(self) -> Iterator[tuple[float, int, str]]:
        """(last use, bytes, key) of each; unfinished ones are not among them."""
        for path in self.folder.glob("*/[0-9a-f]*.*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_mtime, found.st_size, f"{path.parent.name}/{path.name}"


def used(path: Path) -> bool:
    """Whether the copy is there; notes that it was asked for now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True
