"""The rules over a manifest's segments: the chain, which neighbours to merge, how a member catches up, how one manifest
may follow another. Pure arithmetic over counts and versions; rows are compared elsewhere.

A chain is gapless and free of overlap from a floor to the head. Merging keeps it so and keeps any catch-up within
twice the operations published since, for any history (`merging` says why).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from hashshare.wire.errors import MalformedManifest, RejectedContent, VerificationFailed, VersionConflict
from hashshare.wire.merging import Part, merged

if TYPE_CHECKING:
    from hashshare.wire.manifest import Base, Manifest, Segment

BASE_SHARE: Final = 0.20
"""A base is renewed when the operations past it exceed this share of its entries."""

RENEW_AFTER: Final = timedelta(days=5)
"""A base that still holds withdrawn entries is renewed when it is older, so that they are gone within seven days even
when the publisher's next run is a night away."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to fetch and apply, in this order: the base if `base`, then each of `segments`.

    `bytes` counts shards, base index and segments; `operations` the segments' only. Nothing to do is an empty plan.
    """

    base: bool
    segments: tuple[Segment, ...]
    bytes: int
    operations: int

    @property
    def is_empty(self) -> bool:
        return not self.base and not self.segments


@dataclass(frozen=True, slots=True)
class Merge:
    """`merged` stands in the new chain where the old one had `parts`, and must equal their fold."""

    merged: Segment
    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """How a manifest follows the one before it, as far as its segments and base are concerned.

    `delta` is the release's own change, None for version 1. A new `base` must equal the previous base with the old
    chain's segments `base_deltas`, in this order, folded over it. `dropped` fell below the new floor.
    """

    delta: Segment | None
    merges: tuple[Merge, ...]
    base: Base | None
    base_deltas: tuple[Segment, ...]
    dropped: tuple[Segment, ...]


def check_chain(manifest: Manifest) -> None:
    """Raises MalformedManifest unless segments run without gap or overlap from a floor, which the base has reached,
    to the manifest's version.
    """
    segments, base = manifest.segments, manifest.base
    floor = segments[0].from_version if segments else manifest.version
    head = segments[-1].to_version if segments else manifest.version
    if any(segment.from_version >= segment.to_version for segment in segments):
        raise MalformedManifest("A segment does not run forward.")
    if any(left.to_version != right.from_version for left, right in pairwise(segments)):
        raise MalformedManifest("The segments leave a gap or overlap.")
    if head != manifest.version:
        raise MalformedManifest("The last segment does not end at the manifest's version.")
    if not floor <= base.version <= head:
        raise MalformedManifest("The base is not at a version that the segments continue.")
    if base.version == manifest.version and base.entries != manifest.entries:
        raise MalformedManifest("The base at the manifest's version has another number of entries.")


def catch_up(manifest: Manifest, held: int | None) -> Plan:
    """The cheaper way, in bytes, from content version `held` (None for nothing) to the manifest's version.

    A segment that began before `held` is taken whole: operations are absolute, so what is applied again changes
    nothing. Raises VerificationFailed when `held` is newer than the manifest, which is a rollback.
    """
    if held is not None and held > manifest.version:
        raise VerificationFailed(
            f"The hub offers version {manifest.version} of a list held at version {held}.",
            held=held,
            offered=manifest.version,
        )
    from_base = _plan(manifest, manifest.base.version, base=True)
    floor = manifest.segments[0].from_version if manifest.segments else manifest.version
    if held is None or held < floor:
        return from_base
    from_held = _plan(manifest, held, base=False)
    return from_base if from_base.bytes < from_held.bytes else from_held


def _plan(manifest: Manifest, start: int, *, base: bool) -> Plan:
    segments = tuple(segment for segment in manifest.segments if segment.to_version > start)
    size = sum(segment.object.length for segment in segments)
    if base:
        size += manifest.base.bytes + manifest.base.index.length
    return Plan(base, segments, size, sum(segment.operations for segment in segments))


def merge_candidates(segments: Sequence[Segment], *, keep: Collection[int] = ()) -> tuple[tuple[Segment, ...], ...]:
    """The runs of neighbours to merge after a release, oldest first; empty when the chain is as it should be.

    `merging` has the rule and why it holds. No run has a version of `keep` strictly inside; see `kept_versions`.
    """
    parts = [
        Part(segment.from_version, segment.to_version, segment.operations, segment.object.length)
        for segment in segments
    ]
    runs = [
        tuple(segment for segment in segments if part.start <= segment.from_version and segment.to_version <= part.end)
        for part in merged(parts, keep=keep)
    ]
    return tuple(run for run in runs if len(run) > 1)


def kept_versions(manifest: Manifest, *prepared: int) -> frozenset[int]:
    """The versions where a segment must still end after the next merges, for `merge_candidates`.

    That of a base which is being built or was `prepared`: at its adoption nobody could prove it otherwise. And the
    base's own: a segment that reaches back over it would count as past it (`base_due`), be fetched by whoever starts
    from the base, and bring the lapsed entries which the base left out into the count again.
    """
    return frozenset({manifest.base.version, *prepared})


def base_due(manifest: Manifest, *, now: datetime) -> Literal["share", "withdrawals"] | None:
    """Why the base should be renewed, None while it is good.

    "share": the operations past it exceed BASE_SHARE of its entries. "withdrawals": a segment past it holds
    withdrawals and it was built more than RENEW_AFTER before `now`.
    """
    base = manifest.base
    past = [segment for segment in manifest.segments if segment.to_version > base.version]
    if sum(segment.operations for segment in past) > BASE_SHARE * base.entries:
        return "share"
    if any(segment.withdrawals for segment in past) and now - base.built_at > RENEW_AFTER:
        return "withdrawals"
    return None


def step(previous: Manifest | None, following: Manifest) -> Step:
    """How `following` continues `previous` (None for a new list).

    Raises VersionConflict unless the version is the next one, MalformedManifest when the list's identity or format
    changes, the release's own segment is missing, or a segment or base cannot be derived from what stood before,
    RejectedContent when the chain forgets a withdrawal.
    """
    _check_succession(previous, following)
    if previous is None:
        return Step(None, (), following.base, (), ())
    delta = following.segments[-1] if following.segments else None
    if delta is None or delta.from_version != previous.version:
        raise MalformedManifest("The last segment is not the change from the version before.")
    floor = following.segments[0].from_version
    dropped = tuple(segment for segment in previous.segments if segment.to_version <= floor)
    check_nothing_forgotten(dropped)
    merges = _merges(previous, following, dropped=len(dropped))
    base, deltas = _new_base(previous, following, delta)
    return Step(delta, merges, base, deltas, dropped)


def _check_succession(previous: Manifest | None, following: Manifest) -> None:
    expected = previous.version + 1 if previous else 1
    if following.version != expected:
        message = f"The manifest has version {following.version}; {expected} is next."
        raise VersionConflict(message, expected=expected, offered=following.version)
    if previous is None:
        if following.segments:
            raise MalformedManifest("A list's first version is a base with no segments.")
        return
    check_same_list(previous, following)


def check_same_list(previous: Manifest, following: Manifest) -> None:
    """Raises MalformedManifest when the list's identity or format changes, or it was withdrawn before."""
    for name in ("list_id", "list_name", "algorithms", "scheme", "columns"):
        if getattr(previous, name) != getattr(following, name):
            raise MalformedManifest(f"A release cannot change the list's {name}.")
    if previous.status == "withdrawn":
        raise MalformedManifest("The list was withdrawn; nothing follows.")


def check_nothing_forgotten(dropped: tuple[Segment, ...]) -> None:
    """Which keys were withdrawn is read from the chain alone, so a tombstone may be merged but never left out."""
    forgotten = sum(segment.withdrawals for segment in dropped)
    if forgotten:
        message = f"The chain leaves out segments that hold {forgotten} withdrawals, which would be forgotten."
        paths = [segment.object.path for segment in dropped if segment.withdrawals]
        raise RejectedContent(message, count=forgotten, paths=paths[:20])


def _merges(previous: Manifest, following: Manifest, *, dropped: int) -> tuple[Merge, ...]:
    old = list(previous.segments[dropped:])
    merges: list[Merge] = []
    for segment in following.segments[:-1]:
        parts = []
        while old and old[0].to_version <= segment.to_version:
            parts.append(old.pop(0))
        if not parts or (parts[0].from_version, parts[-1].to_version) != (segment.from_version, segment.to_version):
            raise MalformedManifest("A segment's range is not a run of the segments before it.")
        if len(parts) > 1:
            merges.append(Merge(segment, tuple(parts)))
            _check_kept(following, segment)
        elif parts[0] != segment:
            raise MalformedManifest("A published segment was replaced by another of the same range.")
    return tuple(merges)


def _check_kept(following: Manifest, made: Segment) -> None:
    if "expires" in following.columns and made.from_version < following.base.version < made.to_version:
        raise MalformedManifest("A segment is merged over the base of a list whose entries can lapse.")


def _new_base(previous: Manifest, following: Manifest, delta: Segment) -> tuple[Base | None, tuple[Segment, ...]]:
    old, new = previous.base, following.base
    if new == old:
        return None, ()
    if new.version <= old.version:
        raise MalformedManifest("A new base must be of a newer version than the one it replaces.")
    chain = (*previous.segments, delta)
    deltas = tuple(segment for segment in chain if old.version < segment.to_version <= new.version)
    if not deltas or deltas[-1].to_version != new.version:
        raise MalformedManifest("The new base is of a version between two segments, where it cannot be proved.")
    return new, deltas
