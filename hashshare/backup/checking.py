"""Holding a backup against what it says of itself, every byte of it, before anything is restored. Memory is bounded,
whatever the backup's size.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO, Final

from hashshare.backup.description import MAX_DESCRIPTION, Description
from hashshare.backup.names import DESCRIPTION, DUMP, KEYS, SUMS, object_key_of
from hashshare.backup.readers import LAST, members
from hashshare.backup.sealed_keys import MAX_SEALED, open_keys
from hashshare.backup.sums import LONGEST_LINE, read_sums, sum_line
from hashshare.backup.tape import Member
from hashshare.storage.keys import digest_of
from hashshare.wire.errors import BadBackup

Progress = Callable[[str, int], None]
"""The file at hand and its bytes."""

IN_MEMORY: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that is whole. `keys` are the files among the hub's keys, by name; `digests` (SHA-256, hex) are of the
    files that are read once more when they are put in place, but for objects, whose names say theirs.
    """

    source: Path
    description: Description
    keys: dict[str, bytes]
    digests: dict[str, str]


def check_backup(source: Path, *, passphrase: str, progress: Progress = lambda _name, _length: None) -> Checked:
    """Read all of it. Raises BadBackup, which names the file at fault."""
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as found:
        bodies: dict[str, bytes] = {}
        digests: dict[str, str] = {}
        files = size = 0
        for member in members(source):
            progress(member.name, member.length)
            _check_order(member.name, files, bodies)
            if member.name == SUMS:
                bodies[SUMS] = _compare(member, found)
            elif member.name in LAST:
                bodies[member.name] = _small(member)
            else:
                digest = _digest(member)
                if object_key_of(member.name) is None:
                    digests[member.name] = digest
                found.write(sum_line(digest, member.name))
                files, size = files + 1, size + member.length
    description = _described(source, bodies, files, size)
    keys = open_keys(bodies[KEYS], passphrase=passphrase, bound_to=description.bound())
    return Checked(source, description, keys, digests)


def as_checked(member: Member, digest: str) -> Iterator[bytes]:
    """The content once more. Its last block comes only when all of it is what was checked, so that whoever works on
    what came before cannot end well. Raises BadBackup.
    """
    seen, waiting = hashlib.sha256(), b""
    for block in member.blocks:
        seen.update(block)
        if waiting:
            yield waiting
        waiting = block
    if seen.hexdigest() != digest:
        raise BadBackup(f"{member.name} was changed after it was checked.")
    yield waiting


def _described(source: Path, bodies: dict[str, bytes], files: int, size: int) -> Description:
    if set(bodies) != set(LAST):
        raise BadBackup(f"{source} is not a whole backup: {min(set(LAST) - set(bodies))} is missing.")
    description = Description.parse(bodies[DESCRIPTION])
    if description.sums != bodies[SUMS].decode():
        raise BadBackup("SHA256SUMS is not the one that the backup was made with.")
    if description.keys != hashlib.sha256(bodies[KEYS]).hexdigest():
        raise BadBackup(f"{KEYS} is damaged.")
    if (description.files, description.size) != (files, size):
        raise BadBackup(f"The backup says that it has {description.files} files; {files} are there.")
    return description


def _check_order(name: str, files: int, bodies: dict[str, bytes]) -> None:
    """The database first, the description last, nothing after it, none of these twice."""
    wrong = name in bodies or DESCRIPTION in bodies or (name not in LAST and SUMS in bodies)
    if wrong or (files == 0 and not bodies and name != DUMP) or (files > 0 and name == DUMP):
        raise BadBackup(f"The backup has {name} in a place where no backup has it.")
    if name in LAST and len(bodies) != LAST.index(name):
        raise BadBackup(f"The backup is not whole: before {name} something is missing.")


def _digest(member: Member) -> str:
    seen = hashlib.sha256()
    for block in member.blocks:
        seen.update(block)
    key = object_key_of(member.name)
    if key is not None and digest_of(key) != seen.hexdigest():
        raise BadBackup(f"{member.name} is damaged: its bytes do not have the digest in its name.")
    return seen.hexdigest()


def _small(member: Member) -> bytes:
    """Raises BadBackup for what is larger than such a file can be."""
    limit = MAX_DESCRIPTION if member.name == DESCRIPTION else MAX_SEALED
    if member.length > limit:
        raise BadBackup(f"{member.name} has {member.length} bytes; {limit} are allowed.")
    return b"".join(member.blocks)


def _compare(member: Member, found: IO[bytes]) -> bytes:
    """The digest, in hex, of SHA256SUMS, whose every line must be what was `found`. Raises BadBackup."""
    found.seek(0)
    seen = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as said:
        for block in member.blocks:
            seen.update(block)
            said.write(block)
        said.seek(0)
        for expected, line in zip_longest(read_sums(said), _lines(found)):
            if expected is None:
                raise BadBackup("The backup holds a file that SHA256SUMS does not name.")
            if line is None:
                raise BadBackup(f"The backup is not whole: {expected[1]} is missing.")
            if sum_line(*expected) != line:
                raise BadBackup(f"{expected[1]} is damaged, or not in its place.")
    return seen.hexdigest().encode()


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 1):
        yield line
