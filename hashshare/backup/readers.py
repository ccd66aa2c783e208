"""Reading a backup's files one after the other, from a folder or a tar, in the order in which they were written.

Nothing is believed here: `checking` holds digests against what was read.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from hashshare.backup.names import DESCRIPTION, KEYS, SUMS
from hashshare.backup.sums import read_sums
from hashshare.backup.tape import Member, read_tape
from hashshare.storage.files import read_part
from hashshare.wire.errors import BadBackup

LAST: Final = (SUMS, KEYS, DESCRIPTION)
IN_MEMORY: Final = 1 << 20


def members(source: Path) -> Iterator[Member]:
    """Raises BadBackup for what is missing, cut off, or no file of a backup; OSError as usual."""
    if source.is_dir():
        yield from _of_folder(source)
    elif source.is_file():
        with source.open("rb") as file:
            yield from read_tape(file)
    else:
        raise BadBackup(f"There is no backup at {source}.")


@contextlib.contextmanager
def spooled(member: Member) -> Iterator[IO[bytes]]:
    """The member's content as a file to be read line by line."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for block in member.blocks:
            file.write(block)
        file.seek(0)
        yield file


def _of_folder(source: Path) -> Iterator[Member]:
    for name in LAST:
        if not _is_file(source / name):
            raise BadBackup(f"{source} is not a whole backup: {name} is missing.")
    count = 0
    with (source / SUMS).open("rb") as sums:
        for _, name in read_sums(sums):
            yield _member(source, name)
            count += 1
    for name in LAST:
        yield _member(source, name)
    _check_nothing_else(source, count + len(LAST))


def _member(source: Path, name: str) -> Member:
    path = source / name
    if not _is_file(path):
        raise BadBackup(f"The backup is not whole: {name} is missing.")
    length = path.stat().st_size
    return Member(name, length, read_part(path, first=0, length=length))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _check_nothing_else(source: Path, count: int) -> None:
    found = sum(len(names) for _, _, names in os.walk(source))
    if found != count:
        raise BadBackup(f"{source} holds {found} files, and {count} belong to the backup.")
