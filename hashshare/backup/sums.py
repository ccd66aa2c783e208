"""SHA256SUMS: a line for each file, as the program sha256sum writes and checks them. Read line by line, since a backup
may have millions of objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Final

from hashshare.backup.names import LONGEST, is_member, object_key_of
from hashshare.wire.errors import BadBackup

_LINE: Final = re.compile(rb"([0-9a-f]{64})  ([\x21-\x7e]{1,%d})\n" % LONGEST)
_NAMED: Final = re.compile(rb"([0-9a-f]{64}) ([0-9]{1,15}) ([\x21-\x7e]{1,%d})\n" % LONGEST)
LONGEST_LINE: Final = 64 + 20 + LONGEST


def sum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def read_sums(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """(digest, name) of each line. Raises BadBackup for what is no such line, or a name that no backup has."""
    while line := file.readline(LONGEST_LINE + 1):
        match = _LINE.fullmatch(line)
        if match is None or not is_member(match[2].decode()):
            raise BadBackup(f"SHA256SUMS has a line that no backup has: {_shown(line)}")
        yield match[1].decode(), match[2].decode()


def named_line(digest: str, length: int, member: str) -> bytes:
    return f"{digest} {length} {member}\n".encode()


def read_named(file: IO[bytes]) -> Iterator[tuple[str, int]]:
    """(storage key, length) of each object that a backup names and does not hold. Raises BadBackup."""
    while line := file.readline(LONGEST_LINE + 1):
        match = _NAMED.fullmatch(line)
        key = object_key_of(match[3].decode()) if match else None
        if match is None or key is None:
            raise BadBackup(f"objects.named has a line that no backup has: {_shown(line)}")
        yield key, int(match[2])


def _shown(line: bytes) -> str:
    return ascii(line[:120].decode("ascii", "replace"))
