"""The documents of a release about to be signed: from written segments and the manifest before to the next manifest.

Pure: no files are read or written, no network, the time is passed in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hashshare.wire.baseindex import BaseIndex, Shard
from hashshare.wire.difference import Difference
from hashshare.wire.entries import ListFormat
from hashshare.wire.manifest import Base, Manifest, Redistribution, Segment
from hashshare.wire.objects import ObjectRef, base_index_path, delta_path, manifest_path, shard_path
from hashshare.wire.segments import SegmentFacts
from hashshare.wire.segments import Shard as WrittenShard


@dataclass(frozen=True, slots=True)
class Upload:
    """One object of a release: a segment in `file`, or a document in `body`."""

    ref: ObjectRef
    file: Path | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Merged:
    """`segment`, written in `file`, is the fold of the neighbours `parts`."""

    parts: tuple[Segment, ...]
    segment: Segment
    file: Path


@dataclass(frozen=True, slots=True)
class Draft:
    """A release ready to be signed: the manifest, and the objects that it names and the hub may lack.

    `merged` counts the segments that others took the place of. `rebased` says whether the base is a new one, whose
    shards are at the hub already.
    """

    manifest: Manifest
    objects: tuple[Upload, ...]
    merged: int = 0
    rebased: bool = False

    @property
    def manifest_upload(self) -> Upload:
        """Sent last: what it names is there then."""
        body = self.manifest.to_bytes()
        return Upload(ObjectRef.of(manifest_path(self.manifest.list_id), body), body=body)

    @property
    def uploads(self) -> tuple[Upload, ...]:
        return (*self.objects, self.manifest_upload)


@dataclass(frozen=True, slots=True)
class ListTerms:
    """What a list's first manifest says besides its content."""

    list_id: str
    name: str
    fmt: ListFormat
    redistribution: Redistribution
    poll_seconds: int


def first_release(terms: ListTerms, shards: Sequence[WrittenShard], *, now: datetime) -> Draft:
    """Version 1: a base and no segments. `shards` are in key order; none makes an empty list."""
    published_at = now.replace(microsecond=0)
    base, index = base_of(terms.list_id, shards, version=1, built_at=published_at)
    manifest = Manifest(
        list_id=terms.list_id,
        list_name=terms.name,
        version=1,
        algorithms=terms.fmt.algorithms,
        scheme=terms.fmt.scheme,
        columns=terms.fmt.columns,
        published_at=published_at,
        entries=base.entries,
        base=base,
        redistribution=terms.redistribution,
        poll_seconds=terms.poll_seconds,
    )
    files = [Upload(ref, file=shard.path) for ref, shard in zip(index.object_refs(), shards, strict=True)]
    return Draft(manifest, (*files, Upload(base.index, body=index.to_bytes())))


def base_of(
    list_id: str, shards: Sequence[WrittenShard], *, version: int, built_at: datetime
) -> tuple[Base, BaseIndex]:
    """How a manifest and a base index describe `shards`, which are in key order."""
    placed = tuple(_shard(list_id, version, number, shard) for number, shard in enumerate(shards))
    index = BaseIndex(list_id, version, sum(shard.entries for shard in placed), placed)
    ref = ObjectRef.of(base_index_path(list_id, version=version), index.to_bytes())
    return Base(version, index.entries, index.total_bytes, ref, built_at), index


def next_release(previous: Manifest, change: Difference, facts: SegmentFacts, file: Path, *, now: datetime) -> Draft:
    """The version after `previous`: its chain and one more delta, the segment `file`."""
    version = previous.version + 1
    path = delta_path(previous.list_id, from_version=previous.version, to_version=version)
    ref = ObjectRef(path, facts.length, facts.sha256)
    delta = Segment(previous.version, version, facts.upserts, facts.withdrawals, ref)
    manifest = dataclasses.replace(
        previous,
        version=version,
        published_at=max(now.replace(microsecond=0), previous.published_at),
        entries=previous.entries + change.added + change.reinstated - change.withdrawn,
        segments=(*previous.segments, delta),
    )
    return Draft(manifest, (Upload(ref, file=file),))


def with_base(draft: Draft, base: Base, *, entries: int) -> Draft:
    """The same release on a renewed `base`; `entries` was counted from it, since lapsed ones have dropped out."""
    manifest = dataclasses.replace(draft.manifest, base=base, entries=entries)
    return dataclasses.replace(draft, manifest=manifest, rebased=True)


def with_merges(draft: Draft, merges: Sequence[Merged]) -> Draft:
    """The same release with each run of neighbours replaced by the one segment that is their fold."""
    segments = list(draft.manifest.segments)
    for merge in merges:
        place = segments.index(merge.parts[0])
        segments[place : place + len(merge.parts)] = [merge.segment]
    return dataclasses.replace(
        draft,
        manifest=dataclasses.replace(draft.manifest, segments=tuple(segments)),
        objects=(*draft.objects, *(Upload(merge.segment.object, file=merge.file) for merge in merges)),
        merged=sum(len(merge.parts) for merge in merges),
    )


def _shard(list_id: str, version: int, number: int, written: WrittenShard) -> Shard:
    facts = written.facts
    ref = ObjectRef(shard_path(list_id, version=version, number=number), facts.length, facts.sha256)
    return Shard(facts.low, facts.high, facts.rows, ref)
