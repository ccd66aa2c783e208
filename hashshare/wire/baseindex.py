"""The base index: the document that names the shards of a base in key order, kept out of the manifest for its size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from hashshare.wire import limits
from hashshare.wire.documents import Fields, read_object, write_object
from hashshare.wire.errors import MalformedManifest
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import LIST_ID, ObjectRef, shard_path

FORMAT: Final = "hashshare-base/1"
PREFIX: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of a base: `entries` rows whose column p runs from `low` to `high`, both 16 hex digits and included."""

    low: str
    high: str
    entries: int
    object: ObjectRef
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields, *, path: str) -> Shard:
        low, high = fields.text("low", pattern=PREFIX), fields.text("high", pattern=PREFIX)
        if low > high:
            fields.fail("low is above high")
        entries = fields.count("entries", at_least=1)
        if entries > limits.MAX_ENTRIES_PER_SEGMENT:
            fields.fail("has more entries than a segment may hold")
        target = ObjectRef.read(fields.nested("object"), path=path, limit=limits.MAX_OBJECT)
        return cls(low, high, entries, target, fields.rest)

    def to_json(self) -> dict[str, Any]:
        counts = {"low": self.low, "high": self.high, "entries": self.entries}
        return {**counts, "object": self.object.to_json(), **self.extra}


@dataclass(frozen=True, slots=True)
class BaseIndex:
    """The shards of one list's base at one version, in key order; an empty list has none.

    Two neighbours share no value of p, so that no key can be in both.
    """

    list_id: str
    version: int
    entries: int
    shards: tuple[Shard, ...]
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, body: bytes) -> BaseIndex:
        """From bytes whose digest was checked. Raises MalformedManifest."""
        document = read_object(body, limit=limits.MAX_BASE_INDEX, error=MalformedManifest, what="base index")
        fields = Fields(document, where="base index", error=MalformedManifest)
        if fields.text("format") != FORMAT:
            fields.fail(f"format is not {FORMAT}")
        list_id, version = fields.text("list", pattern=LIST_ID), fields.count("version", at_least=1)
        entries = fields.count("entries")
        shards = tuple(
            Shard.read(shard, path=shard_path(list_id, version=version, number=number))
            for number, shard in enumerate(fields.each("shards", limit=limits.MAX_SHARDS))
        )
        _check_shards(fields, shards, entries)
        return cls(list_id, version, entries, shards, fields.rest)

    def check_against(self, manifest: Manifest) -> None:
        """Raises MalformedManifest unless this is the base that `manifest` describes."""
        base = manifest.base
        described = (manifest.list_id, base.version, base.entries, base.bytes)
        if described != (self.list_id, self.version, self.entries, self.total_bytes):
            raise MalformedManifest("The base index does not say what the manifest says of it.")

    def to_bytes(self) -> bytes:
        """The document; `BaseIndex.parse(b.to_bytes()) == b`."""
        head = {"format": FORMAT, "list": self.list_id, "version": self.version, "entries": self.entries}
        return write_object({**head, "shards": [shard.to_json() for shard in self.shards], **self.extra})

    def object_refs(self) -> Iterator[ObjectRef]:
        """The shards' objects in key order."""
        return (shard.object for shard in self.shards)

    @property
    def total_bytes(self) -> int:
        """All shards together."""
        return sum(shard.object.length for shard in self.shards)


def _check_shards(fields: Fields, shards: tuple[Shard, ...], entries: int) -> None:
    if any(left.high >= right.low for left, right in pairwise(shards)):
        fields.fail("shards overlap or are out of order")
    if sum(shard.entries for shard in shards) != entries:
        fields.fail("entries is not the sum over the shards")
