"""Judging a release's content: everything its manifest names, against what the list served before.

Reads files and rows, writes nothing. The rules themselves are the wire format's; here they are put in order. A file's
length and digest are checked before a byte of it is parsed, and what is already published is not read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hashshare.models import Commit, HashList, StoredObject
from hashshare.services.commits import check_declared, served_manifest
from hashshare.services.judging import change, skips
from hashshare.services.manifests import check_stored, checked_file, object_path, read_base_index, read_manifest
from hashshare.services.shards import MEMORY, NewBase, Progress, guarded
from hashshare.wire import errors, limits
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.chain import Step
from hashshare.wire.checks import check_delta, check_guard, check_merge
from hashshare.wire.engine import open_engine, paths
from hashshare.wire.entries import ListFormat
from hashshare.wire.lapsing import day_of
from hashshare.wire.liveness import count_growth
from hashshare.wire.losses import count_lost, count_weakened
from hashshare.wire.manifest import Manifest, Segment
from hashshare.wire.objects import ObjectRef
from hashshare.wire.repository import feed_manifest
from hashshare.wire.segments import SegmentFacts, verify_segment
from hashshare.wire.state import HeldState


@dataclass(frozen=True, slots=True)
class Content:
    """What was found to be right. `refs` is everything that is served with this manifest, itself included.

    `manifest` is None for a refresh: new signed metadata over the manifest that is served already. `follows` is the
    digest of the manifest that it was judged against, `shards` those of shards that were judged apart, in key order.
    `weakened` entries end sooner than before or lost a hash (wire.losses).
    """

    manifest: Manifest | None
    follows: str = ""
    refs: tuple[ObjectRef, ...] = ()
    shards: tuple[str, ...] = ()
    upserts: int = 0
    withdrawals: int = 0
    weakened: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Apart:
    """A base of several `shards`, each of which is judged apart (`judge_shard`) before the rest of the release is."""

    shards: int


def verify_content(
    *, commit: Commit, hash_list: HashList, progress: Progress, now: datetime, shards_judged: bool = False
) -> Content | Apart:
    """Raises MissingObject, WrongDigest, MalformedManifest, MalformedSegment, RejectedContent and its kinds."""
    review = open_review(commit=commit, hash_list=hash_list, progress=progress, now=now)
    if review is None:
        return Content(None)
    if review.change.base is not None and len(review.index.shards) > 1 and not shards_judged:
        return Apart(len(review.index.shards))
    return review.content(shards_judged=shards_judged)


def judge_shard(
    *, commit: Commit, hash_list: HashList, number: int, progress: Progress, now: datetime
) -> dict[str, Any]:
    """One shard of the commit's new base; what was judged, for the record. Raises as `verify_content` does."""
    review = open_review(commit=commit, hash_list=hash_list, progress=progress, now=now)
    if review is None:
        raise errors.Conflict("The list has moved on since this was submitted.")
    return review.new_base.check(number)


def open_review(*, commit: Commit, hash_list: HashList, progress: Progress, now: datetime) -> Review | None:
    """None when the commit signs the served manifest anew. Raises what is wrong with the documents."""
    ref = feed_manifest(commit.roles[hash_list.tuf_id].encode(), list_id=hash_list.tuf_id)
    if ref.sha256 == hash_list.manifest_digest:
        return None
    manifest = read_manifest(hash_list, ref)
    check_declared(hash_list, manifest)
    check_built(manifest, now)
    previous = served_manifest(hash_list)
    follows = change(hash_list, previous, manifest)
    index = read_base_index(manifest.base.index)
    index.check_against(manifest)
    if not skips(hash_list, previous, manifest):
        return Review(hash_list, ref, manifest, index, previous, follows, progress, now)
    # What it was made of is lost, so it is judged like a list's first.
    return Review(hash_list, ref, manifest, index, None, follows, progress, now, resumes=previous)


def check_built(manifest: Manifest, now: datetime) -> None:
    """Raises MalformedManifest for a base from the future, which could leave out what has not lapsed yet."""
    if manifest.base.built_at > now + timedelta(seconds=limits.SIGNATURE_WINDOW_SECONDS):
        raise errors.MalformedManifest("The base was built in the future.", next_step="Set the publisher's clock.")


@dataclass(frozen=True, slots=True)
class Review:
    """One release under examination, beside what it follows. `resumes`: what a restored hub has of the list, where
    versions after it are lost.
    """

    hash_list: HashList
    ref: ObjectRef
    manifest: Manifest
    index: BaseIndex
    previous: Manifest | None
    change: Step
    progress: Progress
    now: datetime
    resumes: Manifest | None = None

    @property
    def fmt(self) -> ListFormat:
        return ListFormat(self.manifest.algorithms, self.manifest.scheme, self.manifest.columns)

    @property
    def new_base(self) -> NewBase:
        built_on = day_of(self.manifest.base.built_at)
        return NewBase(self.fmt, self.index, self.index_before, self.change.base_deltas, built_on, self.progress)

    @property
    def index_before(self) -> BaseIndex | None:
        """Of the base that stood before, which often still stands."""
        if self.previous is None:
            return None
        return self.index if self.change.base is None else read_base_index(self.previous.base.index)

    def content(self, *, shards_judged: bool) -> Content:
        refs = (self.ref, *self.manifest.object_refs(), *self.index.object_refs())
        self.check_files(refs)
        growth, weakened, facts = self.check_delta()
        self.check_merges()
        self.check_chain()
        if self.change.base is not None and not shards_judged:
            self.new_base.check_all()
        self.check_entries(growth)
        follows, shards = self.hash_list.manifest_digest, self.new_base.digests if shards_judged else ()
        if self.change.delta is None:
            return Content(self.manifest, follows, refs, shards, *self.operations())
        counts = (facts.upserts, facts.withdrawals, weakened)
        return Content(self.manifest, follows, refs, shards, *counts, dict(facts.reasons))

    def operations(self) -> tuple[int, int]:
        """Upserts and withdrawals since what the hub has: of a first release, its entries.

        What a new base takes without a segment that says so counts as withdrawn: a stolen feed key shall not get by a
        restored hub what no other would let it take.
        """
        new = [segment for segment in self.manifest.segments if segment.to_version > self.hash_list.version]
        withdrawals = sum(segment.withdrawals for segment in new)
        if not self.hash_list.version:
            return self.manifest.entries, withdrawals
        return sum(segment.upserts for segment in new), max(withdrawals, self.lost_meanwhile())

    def lost_meanwhile(self) -> int:
        """Entries that the hub has and the release lacks, or has weaker (wire.losses).

        Where objects of what it has were lost as well, that cannot be counted and must keep nobody waiting: 0.
        """
        if self.resumes is None:
            return 0
        try:
            before = self.state_of(self.resumes, read_base_index(self.resumes.base.index))
        except errors.MissingObject:
            return 0
        after = self.state_of(self.manifest, self.index)
        with open_engine(read=[*before.paths, *after.paths], memory=MEMORY, scattered=True) as engine:
            return count_lost(engine, before, after, entries=self.resumes.entries, today=day_of(self.now))

    def check_files(self, refs: tuple[ObjectRef, ...]) -> None:
        """Every byte of what is new, but of shards, whose own check reads them; of all the rest, that it is there."""
        digests = [ref.sha256 for ref in refs]
        rows = StoredObject.objects.filter(list=self.hash_list, digest__in=digests, published_at__isnull=False)
        published = set(rows.values_list("name", "digest"))
        shards = set(self.index.object_refs())
        new = [ref for ref in refs if (ref.name, ref.sha256) not in published and ref not in shards]
        for ref in refs:
            check_stored(ref)
        total, done = sum(ref.length for ref in new), 0
        for ref in new:
            self.progress(done, total, f"Checking {ref.name}")
            checked_file(ref)
            done += ref.length
        self.progress(total, total, "Checking the rows")

    def check_delta(self) -> tuple[int, int, SegmentFacts]:
        """The release's own change: a well-formed segment, allowed against the state before it.

        By how much the list grows, and how many of its entries say less than before (wire.losses).
        """
        segment = self.change.delta
        if segment is None or self.previous is None:
            return 0, 0, EMPTY
        facts = self.check_segment(segment)
        path, state = object_path(segment.object), self.state_before()
        with open_engine(read=[*state.paths, path], memory=MEMORY, scattered=True) as engine:
            effect = check_delta(engine, state, path, guard=guarded())
            weakened = count_weakened(engine, state, rows=f"read_parquet({paths([path])})")
        return effect.growth, weakened, facts

    def check_segment(self, segment: Segment) -> SegmentFacts:
        """Raises MalformedSegment also when the manifest's counts are not the segment's."""
        ref = segment.object
        facts = verify_segment(object_path(ref), fmt=self.fmt, kind="delta", sha256=ref.sha256, memory=MEMORY)
        if (facts.upserts, facts.withdrawals) != (segment.upserts, segment.withdrawals):
            raise errors.MalformedSegment(
                f"{ref.name} has {facts.upserts} upserts and {facts.withdrawals} withdrawals; the manifest says "
                f"{segment.upserts} and {segment.withdrawals}.",
                path=ref.path,
            )
        return facts

    def check_merges(self) -> None:
        """Each merged segment against the published ones that it replaces."""
        for merge in self.change.merges:
            self.check_segment(merge.merged)
            merged, parts = object_path(merge.merged.object), [object_path(part.object) for part in merge.parts]
            with open_engine(read=[*parts, merged], memory=MEMORY) as engine:
                check_merge(engine, parts, merged, fmt=self.fmt)

    def check_chain(self) -> None:
        """Where there is nothing before: every segment by itself. A list's first release has none."""
        for segment in self.manifest.segments if self.previous is None else ():
            self.check_segment(segment)
            path = object_path(segment.object)
            with open_engine(read=[path], memory=MEMORY) as engine:
                check_guard(engine, path, fmt=self.fmt, guard=guarded())

    def check_entries(self, growth: int) -> None:
        """The manifest's count: what was before, grown by the delta; counted where a new base left lapsed rows out."""
        if self.previous is None:
            entries = self.index.entries + self.growth_past_base()
        elif self.change.base is None:
            entries = self.previous.entries + growth
        else:
            entries = self.index.entries + self.growth_past_base()
        if entries != self.manifest.entries:
            message = f"The manifest says {self.manifest.entries} entries; there are {entries}."
            raise errors.MalformedManifest(message, expected=entries, offered=self.manifest.entries)

    def growth_past_base(self) -> int:
        state = self.state_of(self.manifest, self.index)
        if not state.deltas:
            return 0
        with open_engine(read=state.paths, memory=MEMORY, scattered=True) as engine:
            return count_growth(engine, state.base, state.deltas)

    def state_before(self) -> HeldState:
        if self.previous is None or self.index_before is None:
            return HeldState(self.fmt)
        return self.state_of(self.previous, self.index_before)

    def state_of(self, manifest: Manifest, index: BaseIndex) -> HeldState:
        """Base, deltas past it, and the segments up to it, which tell what was withdrawn before."""
        past = [segment.to_version > manifest.base.version for segment in manifest.segments]
        paths = [object_path(segment.object) for segment in manifest.segments]
        return HeldState(
            self.fmt,
            base=tuple(object_path(ref) for ref in index.object_refs()),
            deltas=tuple(path for path, late in zip(paths, past, strict=True) if late),
            earlier=tuple(path for path, late in zip(paths, past, strict=True) if not late),
        )


EMPTY = SegmentFacts(rows=0, upserts=0, withdrawals=0, low="", high="", length=0, sha256="")
