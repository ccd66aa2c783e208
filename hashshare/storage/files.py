"""Writing files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from hashshare.durable import settle
from hashshare.wire import errors

BLOCK = 256 * 1024


def write_hashed(part: Path, chunks: Iterable[bytes], *, digest: str, limit: int, mode: int) -> int:
    """Into a new file of this mode, safe on the disk; the length. Raises TooLarge, WrongDigest."""
    seen, length = hashlib.sha256(), 0
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb") as file:
        for chunk in chunks:
            length += len(chunk)
            if length > limit:
                raise errors.TooLarge(f"An object of this kind has at most {limit} bytes.", limit=limit)
            seen.update(chunk)
            file.write(chunk)
        settle(file)
    if seen.hexdigest() != digest:
        raise errors.WrongDigest("The bytes do not have the digest in the object's address.", length=length)
    return length


def read_part(path: Path, *, first: int, length: int) -> Iterator[bytes]:
    """Blocks of a file, opened at once so that a missing one shows here and not in the middle of an answer."""
    file = path.open("rb")

    def blocks() -> Iterator[bytes]:
        left = length
        with file:
            file.seek(first)
            while left and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                yield block

    return blocks()


def drop_parts(folder: Path, pattern: str, *, before: datetime) -> None:
    """Remove unfinished files that were not written to since."""
    for part in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_mtime < before.timestamp():
                part.unlink()
