"""One tar of plain files, read and written front to back: of the format (POSIX ustar with GNU tar's sizes and long
names) only what backups need, so that a hostile file has nothing to play with: no links, folders, owners, extensions.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Final

from hashshare.backup.names import LONGEST, is_member
from hashshare.storage.files import BLOCK
from hashshare.wire.errors import BadBackup

RECORD: Final = tarfile.BLOCKSIZE
MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Member:
    """`blocks` gives the content once, in order, before the next member is asked for."""

    name: str
    length: int
    blocks: Iterator[bytes]


def header(name: str, length: int, *, made_at: int) -> bytes:
    """What stands before a file's content; any tar reads it."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = length, MODE, made_at
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(length: int) -> bytes:
    """What fills a file's content up to whole records."""
    return bytes(-length % RECORD)


END: Final = bytes(2 * RECORD)


def read_tape(file: IO[bytes]) -> Iterator[Member]:
    """Each file. Raises BadBackup for what is no tar, is cut off, or holds anything but files of a backup's names."""
    while (info := _next_header(file)) is not None:
        name = info.name
        if info.type == tarfile.GNUTYPE_LONGNAME:
            name = _long_name(file, info)
            info = _next_header(file)
        if info is None:
            raise BadBackup("The backup is cut off.")
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not is_member(name):
            raise BadBackup(f"The backup holds something that no backup has: {name[:LONGEST]!a}")
        left = _Content(file, info.size)
        yield Member(name, info.size, left.blocks())
        left.skip()
        _read(file, -info.size % RECORD)


class _Content:
    """What is left of one file's content."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file, self._left = file, length

    def blocks(self) -> Iterator[bytes]:
        while self._left:
            block = _read(self._file, min(BLOCK, self._left))
            self._left -= len(block)
            yield block

    def skip(self) -> None:
        for _ in self.blocks():
            pass


def _next_header(file: IO[bytes]) -> tarfile.TarInfo | None:
    """None at the end."""
    record = _read(file, RECORD)
    if record == bytes(RECORD):
        return None
    try:
        info = tarfile.TarInfo.frombuf(record, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError, ValueError) as error:
        raise BadBackup("This is not a backup of hashshare, or it is damaged: a file in it has no header.") from error
    if info.size < 0:
        raise BadBackup("The backup is damaged: a file in it is said to have less than no bytes.")
    return info


def _long_name(file: IO[bytes], info: tarfile.TarInfo) -> str:
    if info.size > LONGEST + 1:
        raise BadBackup("The backup holds a file with a name that no backup has.")
    body = _read(file, info.size)
    _read(file, -info.size % RECORD)
    return body.rstrip(b"\0").decode("ascii", "replace")


def _read(file: IO[bytes], length: int) -> bytes:
    body = file.read(length)
    if len(body) != length:
        raise BadBackup("The backup is cut off.")
    return body
