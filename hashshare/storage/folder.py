"""Objects as files of a folder, which may be shared between machines."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from hashshare.durable import sync_folder
from hashshare.storage.files import drop_parts, read_part, write_hashed
from hashshare.storage.keys import digest_of, is_draft
from hashshare.storage.store import InternalPath

MODE = 0o640
"""This user writes, its group (the web server) reads, wherever the store lies."""

DRAFT_MODE = 0o600
"""What is no release yet is nobody else's business."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """`<folder>/<list-id>/<sha256>.<name>`; files appear by rename. `sendfile`: the web server's prefix, or empty."""

    folder: Path
    sendfile: str = ""

    def receive(self, key: str, chunks: Iterable[bytes], *, limit: int) -> int:
        target, mode = self.folder / key, DRAFT_MODE if is_draft(key) else MODE
        target.parent.mkdir(mode=0o700 if is_draft(key) else 0o750, parents=True, exist_ok=True)
        part = target.parent / f".{secrets.token_hex(8)}.part"
        try:
            length = write_hashed(part, chunks, digest=digest_of(key), limit=limit, mode=mode)
            part.replace(target)
            sync_folder(target.parent)
        finally:
            part.unlink(missing_ok=True)
        return length

    def length(self, key: str) -> int | None:
        path = self.folder / key
        return path.stat().st_size if path.is_file() else None

    def local(self, key: str) -> Path:
        path = self.folder / key
        if not path.is_file():
            raise FileNotFoundError(key)
        return path

    def read(self, key: str, *, first: int, length: int) -> Iterator[bytes]:
        return read_part(self.folder / key, first=first, length=length)

    def address(self, key: str) -> InternalPath | None:
        if not self.sendfile or is_draft(key):
            return None
        return InternalPath(f"{self.sendfile.rstrip('/')}/{quote(key)}")

    def delete(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)

    def drop_unfinished(self, *, before: datetime) -> None:
        drop_parts(self.folder, "*/.*.part", before=before)
