"""Writing what must outlast a power cut: the one place of the hub and the client that asks the disk to keep something.

No Django, no network. A file that is read back as state is written by one of these, and by nothing else; whatever
renames files of its own calls `sync_folder` after the last of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Final

PRIVATE: Final = 0o600
LONGEST_LINE: Final = 1 << 20
"""Bytes; how far back `append_lines` looks for the end of the last whole line."""
_NO_SUCH_THING: Final = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


def replace_file(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Put `data` in the place of `path`, on the disk before it is seen, or leave it as it was."""
    with _draft(path, data, mode) as draft:
        draft.replace(path)
    sync_folder(path.parent)


def create_file(path: Path, data: bytes, *, mode: int = PRIVATE) -> bool:
    """The same for a file that appears whole or not at all; one that is there already stays, and False says so.

    Needs a file system with hard links.
    """
    with _draft(path, data, mode) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def write_new(path: Path, data: bytes, *, mode: int = PRIVATE) -> None:
    """Into a new file, on any file system; FileExistsError rather than overwrite. Cut off, it leaves a part of it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with naming(path), os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        settle(file)
    sync_folder(path.parent)


def append_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Add whole lines, on the disk when this returns; half a line that a killed command left is cut off first."""
    with naming(path), os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE), "r+b") as file:
        whole = _whole_lines(file, file.seek(0, os.SEEK_END))
        file.truncate(whole)
        file.seek(whole)
        file.writelines(lines)
        settle(file)
    sync_folder(path.parent)


def settle(file: IO[Any]) -> None:
    """Have all that was written to an open file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def settle_path(path: Path) -> None:
    """The same for a file that somebody else wrote."""
    with naming(path), path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make what was renamed, made or removed in `path` survive a power cut, where the file system has a way to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SUCH_THING:
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """A full disk, or another fault of one, is said of `path`: a failed write doesn't name what it wrote to."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextlib.contextmanager
def _draft(path: Path, data: bytes, mode: int) -> Iterator[Path]:
    """`data` beside `path` and on the disk; gone afterwards unless it was renamed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with naming(path), os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            settle(file)
        yield Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()


def _whole_lines(file: IO[bytes], end: int) -> int:
    """Where the last whole line ends."""
    start = max(0, end - LONGEST_LINE)
    file.seek(start)
    return start + file.read(end - start).rfind(b"\n") + 1
