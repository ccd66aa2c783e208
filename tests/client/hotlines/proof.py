"""A verdict for hub North that is as strict as the real hub: real files, every merge and base proved by query."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.chain import step
from hashshare.wire.checks import check_delta, check_merge
from hashshare.wire.engine import open_engine
from hashshare.wire.entries import Kind, ListFormat
from hashshare.wire.errors import MalformedManifest
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef
from hashshare.wire.segments import verify_segment
from hashshare.wire.state import HeldState, count_entries
from tests.client.hotlines.north import North
from tests.wire.bases import check_base


class Prover:
    """Call it with a manifest that North is asked to accept; raises what the hub would refuse it for."""

    def __init__(self, north: North, folder: Path) -> None:
        self.north, self.folder = north, folder
        folder.mkdir(exist_ok=True)

    def __call__(self, manifest: Manifest) -> None:
        previous = self.north.shelf.manifests.get(manifest.list_id)
        if previous is None or previous == manifest:
            return
        change, fmt = step(previous, manifest), format_of(manifest)
        assert change.delta is not None
        before, delta = self.state(previous), self.file(change.delta.object)
        self.verify(delta, fmt, "delta")
        with open_engine(read=[self.folder]) as engine:
            growth = check_delta(engine, before, delta).growth
            for merge in change.merges:
                merged = self.file(merge.merged.object)
                self.verify(merged, fmt, "delta")
                check_merge(engine, [self.file(part.object) for part in merge.parts], merged, fmt=fmt)
            if change.base is None:
                self.count(manifest, previous.entries + growth)
                return
            deltas = tuple(self.file(segment.object) for segment in change.base_deltas)
            shards = self.shards(manifest)
            for shard in shards:
                self.verify(shard, fmt, "base")
            check_base(engine, HeldState(fmt, self.shards(previous), deltas), shards, today=datetime.now(UTC).date())
            self.count(manifest, count_entries(engine, self.state(manifest)))

    def count(self, manifest: Manifest, entries: int) -> None:
        if manifest.entries != entries:
            raise MalformedManifest(f"The manifest says {manifest.entries} entries; there are {entries}.")

    def verify(self, path: Path, fmt: ListFormat, kind: Kind) -> None:
        verify_segment(path, fmt=fmt, kind=kind)

    def file(self, ref: ObjectRef) -> Path:
        path = self.folder / ref.sha256
        path.write_bytes(self.north.shelf.objects[ref.stored_path])
        return path

    def shards(self, manifest: Manifest) -> tuple[Path, ...]:
        index = BaseIndex.parse(self.north.shelf.objects[manifest.base.index.stored_path])
        index.check_against(manifest)
        return tuple(self.file(ref) for ref in index.object_refs())

    def state(self, manifest: Manifest) -> HeldState:
        late = tuple(self.file(it.object) for it in manifest.segments if it.to_version > manifest.base.version)
        early = tuple(self.file(it.object) for it in manifest.segments if it.to_version <= manifest.base.version)
        return HeldState(format_of(manifest), self.shards(manifest), late, early)


def format_of(manifest: Manifest) -> ListFormat:
    return ListFormat(manifest.algorithms, manifest.scheme, manifest.columns)
