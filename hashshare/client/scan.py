"""Hash files and say which are on a held list. Files are streamed, results come while the scan runs.

Only exact algorithms (md5, sha1, sha256): a perceptual hash needs the decoded image.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hashshare.client.lookup import Index, Match
from hashshare.wire.errors import UsageError

EXACT: Final = ("md5", "sha1", "sha256")
BLOCK: Final = 1 << 20
BATCH_FILES: Final = 4_096
"""Files looked up with one query."""
READERS: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Hashed:
    """`digests` by algorithm; `problem` says why there are none."""

    path: Path
    size: int = 0
    digests: tuple[tuple[str, bytes], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    path: Path
    match: Match


@dataclass(slots=True)
class Tally:
    """What a scan has seen so far."""

    files: int = 0
    bytes: int = 0
    unreadable: int = 0
    found: int = 0


def scan(
    index: Index,
    paths: Sequence[Path],
    *,
    tally: Tally,
    unreadable: Callable[[Path, str], None],
    progress: Callable[[Tally], None] = lambda _: None,
) -> Iterator[Found]:
    """Every match of every file under `paths`, as they come; links are not followed.

    Raises UsageError for a path that does not exist or when no open list has an exact algorithm.
    """
    names = tuple(name for name in EXACT if name in index.algorithms)
    if not names:
        raise UsageError("None of the held lists has md5, sha1 or sha256, so files cannot be matched exactly.")
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path} does not exist.")
    batch: list[Hashed] = []
    for hashed in _hashed(walk(paths, unreadable=_counting(tally, unreadable)), names):
        if hashed.problem:
            tally.unreadable += 1
            unreadable(hashed.path, hashed.problem)
            continue
        tally.files += 1
        tally.bytes += hashed.size
        progress(tally)
        batch.append(hashed)
        if len(batch) >= BATCH_FILES:
            yield from _matched(index, batch, names, tally)
            batch = []
    yield from _matched(index, batch, names, tally)


def _counting(tally: Tally, unreadable: Callable[[Path, str], None]) -> Callable[[Path, str], None]:
    def report(path: Path, problem: str) -> None:
        tally.unreadable += 1
        unreadable(path, problem)

    return report


def walk(paths: Iterable[Path], *, unreadable: Callable[[Path, str], None]) -> Iterator[Path]:
    """The regular files at and under `paths`, each once, in a stable order."""
    stack = list(reversed(list(dict.fromkeys(paths))))
    while stack:
        path = stack.pop()
        try:
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                stack.extend(sorted(path.iterdir(), reverse=True))
            elif stat.S_ISREG(mode):
                yield path
        except OSError as error:
            unreadable(path, error.strerror or str(error))


def _hashed(paths: Iterator[Path], names: tuple[str, ...]) -> Iterator[Hashed]:
    """In order, a few files at once; hashlib works outside the interpreter's lock."""
    with ThreadPoolExecutor(READERS, thread_name_prefix="hash") as pool:
        waiting: deque[Future[Hashed]] = deque()
        try:
            for path in paths:
                waiting.append(pool.submit(hash_file, path, names))
                if len(waiting) >= 8 * READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def hash_file(path: Path, names: Sequence[str]) -> Hashed:
    """One pass over the file for all algorithms."""
    digests = [(name, hashlib.new(name, usedforsecurity=False)) for name in names]
    size = 0
    try:
        # A file swapped for a pipe after the walk must not block the scan; O_NOFOLLOW keeps out a swapped link.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                size += len(block)
                for _, digest in digests:
                    digest.update(block)
    except OSError as error:
        return Hashed(path, problem=error.strerror or str(error))
    return Hashed(path, size, tuple((name, digest.digest()) for name, digest in digests))


def _matched(index: Index, batch: Sequence[Hashed], names: tuple[str, ...], tally: Tally) -> Iterator[Found]:
    found: dict[tuple[str, bytes], list[Match]] = {}
    for name in names:
        wanted = sorted({digest for hashed in batch for own, digest in hashed.digests if own == name})
        for match in index.matches(wanted, algorithm=name):
            found.setdefault((name, match.digest), []).append(match)
    for hashed in batch:
        for match in _once(found, hashed):
            tally.found += 1
            yield Found(hashed.path, match)


def _once(found: dict[tuple[str, bytes], list[Match]], hashed: Hashed) -> Iterator[Match]:
    """One match per list and entry: a file that matches by md5, sha1 and sha256 is one finding, by its strongest."""
    seen: set[tuple[str, bytes]] = set()
    for name, digest in reversed(hashed.digests):
        for match in found.get((name, digest), []):
            identity = (match.list_name, match.entry.key)
            if identity not in seen:
                seen.add(identity)
                yield match
