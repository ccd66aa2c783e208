"""Writing a backup into a folder or into one tar. It has its name only when it is whole and on the disk; until then it
is called `.<name>.part`, which a killed command leaves behind and the next one removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

from hashshare.backup import tape
from hashshare.backup.names import SUMS
from hashshare.backup.sums import sum_line
from hashshare.durable import settle, sync_folder
from hashshare.storage.files import read_part
from hashshare.wire.errors import HashshareError, UsageError


class Writer(Protocol):
    """Takes files one after the other."""

    def add(self, name: str, length: int, blocks: Iterable[bytes]) -> None:
        """Raises HashshareError when the blocks are not `length` bytes together."""


@dataclass(slots=True)
class Tally:
    """Of what was written: a line of SHA256SUMS each, in a file beside the backup, since there may be millions."""

    writer: Writer
    lines: IO[bytes]
    files: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, name: str, length: int, blocks: Iterable[bytes]) -> str:
        """The file's SHA-256."""
        seen = hashlib.sha256()

        def watched() -> Iterator[bytes]:
            for block in blocks:
                seen.update(block)
                yield block

        self.writer.add(name, length, watched())
        line = sum_line(seen.hexdigest(), name)
        self.lines.write(line)
        self.digest.update(line)
        self.files += 1
        self.size += length
        return seen.hexdigest()

    def add_file(self, name: str, path: Path) -> str:
        length = path.stat().st_size
        return self.add(name, length, read_part(path, first=0, length=length))

    def close(self) -> str:
        """Write SHA256SUMS itself; its digest."""
        length = self.lines.tell()
        self.lines.seek(0)
        self.writer.add(SUMS, length, iter(lambda: self.lines.read(1 << 18), b""))
        return str(self.digest.hexdigest())


class FolderWriter:
    """Files below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def add(self, name: str, length: int, blocks: Iterable[bytes]) -> None:
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, tape.MODE), "wb") as file:
            copy_exactly(blocks, file, length, name)
            settle(file)


class TapeWriter:
    """Files of a tar."""

    def __init__(self, file: IO[bytes], *, made_at: int) -> None:
        self.file, self.made_at = file, made_at

    def add(self, name: str, length: int, blocks: Iterable[bytes]) -> None:
        self.file.write(tape.header(name, length, made_at=self.made_at))
        copy_exactly(blocks, self.file, length, name)
        self.file.write(tape.padding(length))


def copy_exactly(blocks: Iterable[bytes], file: IO[bytes], length: int, name: str) -> None:
    written = 0
    for block in blocks:
        file.write(block)
        written += len(block)
    if written != length:
        raise HashshareError(f"{name} has {written} bytes, not {length} as expected. No backup was made.")


def writing(target: Path, *, made_at: int) -> AbstractContextManager[Writer]:
    """A writer whose files are at `target` when the block has ended well, and nowhere otherwise. A name that ends with
    .tar is one file, any other a folder. Raises UsageError when something is there already.
    """
    if target.exists():
        raise UsageError(f"{target} is there already; a backup is never written over.", next_step="Choose a new name.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}.")
    return _tape(target, made_at) if target.suffix == ".tar" else _folder(target)


def part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


@contextlib.contextmanager
def _tape(target: Path, made_at: int) -> Iterator[Writer]:
    part = part_of(target)
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, tape.MODE), "wb") as file:
            yield TapeWriter(file, made_at=made_at)
            file.write(tape.END)
            settle(file)
        part.rename(target)
        sync_folder(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _folder(target: Path) -> Iterator[Writer]:
    part = part_of(target)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    try:
        yield FolderWriter(part)
        for folder, _, _ in os.walk(part, topdown=False):
            sync_folder(Path(folder))
        part.rename(target)
        sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
