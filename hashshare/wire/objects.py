"""How documents name stored files: a TUF target path, a length and one SHA-256. Neither files nor network here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from tuf.api.metadata import TargetFile

from hashshare.wire.documents import Fields

LIST_ID: Final = re.compile(r"[0-9a-f]{16}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")
PATH: Final = re.compile(r"[0-9a-f]{16}/[a-z0-9]+(-[0-9]+)*\.(json|parquet)")

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One stored file: target path `<list-id>/<name>`, length in bytes, SHA-256 in lower-case hex.

    In JSON it is a TUF TargetFile record with the path beside it (TUF specification 4.5):
    `{"path": ..., "length": ..., "hashes": {"sha256": ...}}`.
    """

    path: str
    length: int
    sha256: str
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, path: str, body: bytes) -> Self:
        """The reference to `body` under `path`."""
        return cls(path, len(body), hashlib.sha256(body).hexdigest())

    @classmethod
    def read(cls, fields: Fields, *, path: str, limit: int) -> Self:
        """From JSON; the path must be exactly `path` and the length at most `limit`."""
        if fields.text("path", pattern=PATH) != path:
            fields.fail(f"path is not {path}")
        length = fields.count("length", at_least=1)
        if length > limit:
            fields.fail(f"length is above {limit}")
        hashes = fields.nested("hashes")
        sha256 = hashes.text("sha256", pattern=SHA256)
        if hashes.rest:
            hashes.fail("has other hashes than sha256")
        return cls(path, length, sha256, fields.rest)

    @property
    def list_id(self) -> str:
        return self.path.partition("/")[0]

    @property
    def name(self) -> str:
        return self.path.partition("/")[2]

    @property
    def stored_path(self) -> str:
        """Where it is served under consistent snapshots: `<list-id>/<sha256>.<name>`."""
        return f"{self.list_id}/{self.sha256}.{self.name}"

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "length": self.length, "hashes": {"sha256": self.sha256}, **self.extra}

    def to_target(self) -> TargetFile:
        """The record that `tuf.ngclient.Updater.download_target` takes."""
        return TargetFile(self.length, {"sha256": self.sha256}, self.path, dict(self.extra))


def manifest_path(list_id: str) -> str:
    return f"{list_id}/{MANIFEST}"


def base_index_path(list_id: str, *, version: int) -> str:
    return f"{list_id}/base-{version}.json"


def shard_path(list_id: str, *, version: int, number: int) -> str:
    """`number` counts from 0 in key order."""
    return f"{list_id}/base-{version}-{number:04d}.parquet"


def delta_path(list_id: str, *, from_version: int, to_version: int) -> str:
    return f"{list_id}/delta-{from_version}-{to_version}.parquet"
