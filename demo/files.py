"""Harmless files to hash: the running Python's standard library, and a folder of uploads that holds copies of some."""

from __future__ import annotations

import csv
import hashlib
import os
import random
import shutil
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FIELDS = ("sha256", "md5", "sha1", "category", "media", "first_seen")


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file and its digests as lower-case hex."""

    path: Path
    sha256: str
    md5: str
    sha1: str


def standard_library() -> list[HashedFile]:
    """Every file of the running Python's standard library that is not empty, each content once, in a fixed order.

    Empty files are left out because a hub refuses the digest of the empty file: it would match everywhere.
    """
    root = Path(sysconfig.get_path("stdlib"))
    found: dict[str, HashedFile] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in {"site-packages", "dist-packages", "__pycache__"})
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and path.stat().st_size:
                hashed = hash_file(path)
                found.setdefault(hashed.sha256, hashed)
    return list(found.values())


def hash_file(path: Path) -> HashedFile:
    """The three digests of a file in one read."""
    digests = [hashlib.sha256(), hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False)]
    with path.open("rb") as source:
        while chunk := source.read(1 << 20):
            for digest in digests:
                digest.update(chunk)
    return HashedFile(path, *(digest.hexdigest() for digest in digests))


def write_csv(path: Path, files: Iterable[HashedFile]) -> int:
    """A hotline's export of these files, with made-up metadata; returns the number of rows."""
    rows = 0
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(FIELDS)
        for file in files:
            writer.writerow((file.sha256, file.md5, file.sha1, "ABC"[rows % 3], "image", "2026-11-01"))
            rows += 1
    return rows


def write_uploads(folder: Path, listed: list[HashedFile], *, copies: int, others: int) -> list[str]:
    """A folder of uploads: `copies` of listed files under names of their own among `others` random ones.

    Returns the names of the copies, sorted.
    """
    chance = random.Random(7)
    folder.mkdir(parents=True)
    names = []
    for number, file in enumerate(chance.sample(listed, copies)):
        name = f"upload-{number:03d}-copy.bin"
        shutil.copyfile(file.path, folder / name)
        names.append(name)
    for number in range(others):
        (folder / f"upload-{number:03d}-other.bin").write_bytes(chance.randbytes(chance.randrange(1, 20_000)))
    return sorted(names)
