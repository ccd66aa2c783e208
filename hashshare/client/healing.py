"""Held files that are no longer what was signed: found by their digests, set aside, named with what to do.

What was verified once may rot on the disk, and a segment's own checks do not show it: an engine that reads one fails in
words of its own, or silently answers otherwise. A file that is set aside counts as missing, and the next sync fetches
just that one.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import duckdb

from hashshare.client.held import HeldObject
from hashshare.client.home import sync_folder
from hashshare.wire.engine import found_no_room
from hashshare.wire.errors import MissingObject, WrongDigest

Files: TypeAlias = Mapping[Path, HeldObject]
"""Held objects by where they are kept (`ListStore.files`)."""


@contextlib.contextmanager
def damage_named(files: Files, *, name: str) -> Iterator[None]:
    """When the engine fails inside the block, see whether one of these files of the list `name` is to blame.

    Raises WrongDigest or MissingObject as `check_files` does; the engine's own error if they are all right.
    `ListStore.pinned` and `reading` do this already.
    """
    try:
        yield
    except duckdb.Error as error:
        if not isinstance(error, duckdb.InterruptException) and not found_no_room(error):
            check_files(files, name=name)
        raise


def check_files(files: Files, *, name: str) -> None:
    """Check the digests of all these files of the list `name`; a second for about a gigabyte.

    Raises WrongDigest (what is damaged was set aside) or MissingObject, both with the facts `damaged` and `missing`.
    """
    refuse(wrong_files(files), name=name)


def wrong_files(files: Files) -> list[Path]:
    """Those that are missing, or do not have the length and digest that were signed."""
    return [path for path, part in files.items() if not is_right(path, part)]


def is_right(path: Path, part: HeldObject) -> bool:
    """Whether a file is here, with the length and digest that were signed."""
    try:
        with path.open("rb") as file:
            return path.stat().st_size == part.length and hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except FileNotFoundError:
        return False


def set_aside(path: Path) -> None:
    """Take a damaged file out of use; the next sync fetches it again, and removes this one."""
    path.replace(path.with_name(f"{path.name}.damaged"))
    sync_folder(path.parent)


def refuse(wrong: Sequence[Path], *, name: str) -> None:
    """Set the damaged ones of these files aside and name them all; nothing if there are none.

    Raises WrongDigest, or MissingObject when all of them are missing.
    """
    if not wrong:
        return
    damaged = [path for path in wrong if path.is_file()]
    missing = [path for path in wrong if path not in damaged]
    for path in damaged:
        set_aside(path)
    words = [f"{path} is {'damaged and was set aside' if path in damaged else 'missing'}" for path in wrong]
    more = [f"{len(words) - 3:,} more are damaged or missing"] if len(words) > 3 else []
    raise (WrongDigest if damaged else MissingObject)(
        "; ".join(words[:3] + more) + ".",
        next_step=f"hashshare sync {name} fetches just what is damaged or missing.",
        damaged=[str(path) for path in damaged],
        missing=[str(path) for path in missing],
    )
