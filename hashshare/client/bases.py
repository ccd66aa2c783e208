"""A base on its way: built at a version that is published already, and kept in the publisher's folder until a release
adopts it.

`bases/<list id>/prepared.json` is replaced atomically and says how far it is: begun (the version alone, so that nobody
merges it away), written (base, index and files are whole), and which objects the hub has. What is unfinished when a
process is killed starts over, or is sent again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hashshare.client.drafts import Upload
from hashshare.client.home import file_lock, make_private_folder, read_json, write_json
from hashshare.client.publisher import OwnList
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.documents import Fields
from hashshare.wire.errors import HashshareError, MalformedManifest
from hashshare.wire.manifest import Base, Manifest
from hashshare.wire.segments import file_sha256

FORMAT: Final = "hashshare-prepared-base/1"
LIFE: Final = timedelta(days=7)
"""A base that no release has adopted for so long is built anew: a hub keeps what nobody published for 14 days."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`base` and `index` are None while it is being built. `sent` are the digests of what the hub has."""

    version: int
    base: Base | None = None
    index: BaseIndex | None = None
    sent: frozenset[str] = frozenset()

    @property
    def is_written(self) -> bool:
        return self.index is not None

    @property
    def is_ready(self) -> bool:
        """Whether a release may name it: the hub has all of it."""
        if self.base is None or self.index is None:
            return False
        return all(ref.sha256 in self.sent for ref in (self.base.index, *self.index.object_refs()))

    def fits(self, manifest: Manifest, *, now: datetime) -> bool:
        """Whether the release after `manifest` could adopt it: newer than its base, where a segment ends, not old."""
        ends = {segment.to_version for segment in manifest.segments}
        fresh = self.base is None or now - self.base.built_at < LIFE
        return fresh and self.version > manifest.base.version and self.version in ends

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"format": FORMAT, "version": self.version, "sent": sorted(self.sent)}
        if self.base is not None and self.index is not None:
            document |= {"base": self.base.to_json(), "index": self.index.to_bytes().decode()}
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any], *, list_id: str) -> Prepared:
        """Raises HashshareError, KeyError, TypeError, ValueError for what is not of this format."""
        if document["format"] != FORMAT:
            raise KeyError("format")
        begun = cls(int(document["version"]), sent=frozenset(document["sent"]))
        if "base" not in document:
            return begun
        base = Base.read(Fields(document["base"], where="base", error=MalformedManifest), list_id=list_id)
        return dataclasses.replace(begun, base=base, index=BaseIndex.parse(document["index"].encode()))


@dataclass(frozen=True, slots=True)
class BaseFolder:
    """Where a list's next base is built and kept. Who holds `lock` may change it."""

    own: OwnList

    @property
    def path(self) -> Path:
        return self.own.publisher.folder / "bases" / self.own.list_id

    @contextlib.contextmanager
    def lock(self, *, blocking: bool, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
        """Whether nobody else is building, sending or adopting it; waits for that if `blocking`."""
        folder = make_private_folder(self.own.publisher.home.path / "locks")
        path = folder / f"base-{self.own.list_id}.lock"
        with file_lock(path, blocking=blocking, waiting=waiting) as alone:
            yield alone

    def read(self) -> Prepared | None:
        """What is on its way. A damaged record, or one whose files are gone, counts as none."""
        try:
            document = read_json(self.path / "prepared.json")
            prepared = document and Prepared.from_json(document, list_id=self.own.list_id)
        except (HashshareError, KeyError, TypeError, ValueError):
            return None
        if not prepared or any(not file.is_file() for file in self.files(prepared)):
            return None
        return prepared

    def begin(self, version: int) -> None:
        """Note the version before anything is built, so that no release merges it away meanwhile."""
        self.drop()
        make_private_folder(self.path / "files")
        self.save(Prepared(version))

    def save(self, prepared: Prepared) -> None:
        write_json(self.path / "prepared.json", prepared.to_json())

    def drop(self) -> None:
        """The record first: without it, files are only what a killed process left."""
        (self.path / "prepared.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def files_folder(self) -> Path:
        return self.path / "files"

    def files(self, prepared: Prepared) -> tuple[Path, ...]:
        """The shards in key order."""
        refs = prepared.index.object_refs() if prepared.index else ()
        return tuple(self.files_folder / ref.name for ref in refs)

    def rotten(self, prepared: Prepared) -> Path | None:
        """The first shard that is no longer what was written; None if all are."""
        refs = prepared.index.object_refs() if prepared.index else ()
        pairs = zip(self.files(prepared), refs, strict=True)
        return next((file for file, ref in pairs if file_sha256(file) != ref.sha256), None)

    def uploads(self, prepared: Prepared) -> tuple[Upload, ...]:
        """What the hub still lacks."""
        if prepared.base is None or prepared.index is None:
            return ()
        index = Upload(prepared.base.index, body=prepared.index.to_bytes())
        shards = zip(prepared.index.object_refs(), self.files(prepared), strict=True)
        every = [*(Upload(ref, file=file) for ref, file in shards), index]
        return tuple(item for item in every if item.ref.sha256 not in prepared.sent)
