"""The signatures over a held manifest, kept with it: metadata moves on even when a sync fails after it did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuf.api.metadata import Root

from hashshare.client import trust
from hashshare.client.home import Home
from hashshare.client.sealed import read_sealed, write_sealed
from hashshare.wire.errors import HashshareError, MalformedMetadata
from hashshare.wire.repository.metadata import ROOT, read_typed


@dataclass(frozen=True, slots=True)
class Proof:
    """What joins a held manifest to root `root_version`: the bytes of targets and feed as they were then."""

    root_version: int
    targets: bytes
    feed: bytes

    def to_json(self) -> dict[str, Any]:
        return {"root": self.root_version, "targets": self.targets.decode(), "feed": self.feed.decode()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Proof:
        """Raises KeyError, ValueError for what is not of this format."""
        return cls(int(document["root"]), str(document["targets"]).encode(), str(document["feed"]).encode())


def write_proof(path: Path, kept: Proof) -> None:
    """Keep it beside the manifest, with a checksum."""
    write_sealed(path, kept.to_json())


def read_proof(path: Path) -> Proof:
    """Raises MalformedMetadata when the file is missing or damaged."""
    try:
        document = read_sealed(path)
        if document is not None:
            return Proof.from_json(document)
        what = f"{path}, the signatures over the held manifest, is missing."
    except (HashshareError, KeyError, ValueError):
        what = f"{path}, the signatures over the held manifest, is damaged."
    raise MalformedMetadata(what, next_step="hashshare sync writes it anew.")


def is_proof(path: Path) -> bool:
    """Whether the file is here as it was written."""
    try:
        read_proof(path)
    except MalformedMetadata:
        return False
    return True


def proof(home: Home, domain: str, list_id: str) -> Proof:
    """From the metadata that tuf.ngclient verified last."""
    folder = trust.metadata_dir(home, domain)
    root_version = read_typed(ROOT, (folder / "root.json").read_bytes(), Root).version
    return Proof(root_version, (folder / "targets.json").read_bytes(), (folder / f"{list_id}.json").read_bytes())
