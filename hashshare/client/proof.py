"""The signatures over a held manifest, kept with it: metadata moves on even when a sync fails after it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuf.api.metadata import Root

from hashshare.client import trust
from hashshare.client.home import Home
from hashshare.wire.errors import MalformedMetadata
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
    def from_json(cls, document: dict[str, Any] | None) -> Proof:
        """Raises MalformedMetadata."""
        try:
            found = document or {}
            return cls(int(found["root"]), str(found["targets"]).encode(), str(found["feed"]).encode())
        except (KeyError, ValueError) as error:
            raise MalformedMetadata(
                "The signatures over the held manifest are missing.", next_step="hashshare sync"
            ) from error


def proof(home: Home, domain: str, list_id: str) -> Proof:
    """From the metadata that tuf.ngclient verified last."""
    folder = trust.metadata_dir(home, domain)
    root_version = read_typed(ROOT, (folder / "root.json").read_bytes(), Root).version
    return Proof(root_version, (folder / "targets.json").read_bytes(), (folder / f"{list_id}.json").read_bytes())
