"""From a manifest and what is held to what the store shall be made of, and how each lacking object can be had.

After a sync the store is exactly what the manifest names, from its base on. What the publisher merged out of parts that
are held here, and a base renewed from them, can be made on the spot: the same rows, written by the same engine, have
the digest that was signed. The rule which way is cheaper is wire.chain's. No I/O of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hashshare.client.held import Held, HeldObject
from hashshare.wire.baseindex import BaseIndex
from hashshare.wire.chain import catch_up
from hashshare.wire.documents import write_time
from hashshare.wire.manifest import Manifest, Segment


@dataclass(frozen=True, slots=True)
class Merge:
    """`merged` should be the fold of the held deltas `parts`, in this order."""

    merged: HeldObject
    parts: tuple[HeldObject, ...]


@dataclass(frozen=True, slots=True)
class Renewal:
    """The new base's `shards` should be the held base with `deltas` folded over it, in this order.

    A new shard is left out where a held one that shares its range is lost. `version` is the new base's.
    """

    version: int
    shards: tuple[HeldObject, ...]
    base: tuple[HeldObject, ...]
    deltas: tuple[HeldObject, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """The store's next content: `base`, `deltas` in order of application, `earlier`.

    Of that, `fetched` can only be downloaded, with what `renewal` needs besides; `merges` and `renewal` may be made
    here, and are downloaded where other bytes come out. `full`: the base is downloaded.
    """

    base: tuple[HeldObject, ...]
    deltas: tuple[HeldObject, ...]
    earlier: tuple[HeldObject, ...]
    fetched: tuple[HeldObject, ...]
    merges: tuple[Merge, ...]
    renewal: Renewal | None
    full: bool


def wanted(
    manifest: Manifest,
    held: Held | None,
    *,
    base_index: BaseIndex,
    has: Callable[[HeldObject], bool],
    history: bool,
    whole: bool = False,
) -> Want:
    """`has` tells whether an object's file is here; `history` also wants the chain up to the base, and so does `whole`.

    Only a publisher, who wrote them, asks for its history: to anybody else, that the bytes are here under whatever name
    does not say that they are the fold that they should be now. A mirror, which passes on all that the manifest names,
    wants the whole, and has everything proved like any member.
    Raises VerificationFailed on a rollback.
    """
    plan = catch_up(manifest, held.version if held else None)
    full = held is None or plan.base
    base, chain = shards_of(base_index), tuple(map(of_segment, manifest.segments))
    deltas = tuple(part for part in chain if part.to_version > manifest.base.version)
    earlier = tuple(part for part in chain if part.to_version <= manifest.base.version) if history or whole else ()
    parts = tuple(filter(has, (*held.earlier, *held.deltas))) if held else ()
    known = {*held.earlier, *held.deltas} if held else set()

    def settled(part: HeldObject) -> bool:
        return part in known or (history and has(part))

    renewal: Renewal | None = None
    if held is not None and not full and held.base_index_sha256 != manifest.base.index.sha256:
        coming = [part for part in chain if part.to_version > held.version]
        renewal = _renewal(held, base, manifest.base.version, parts, coming, has, settled)
    merges = tuple(
        Merge(part, run) for part in (*deltas, *earlier) if not settled(part) and len(run := _run(parts, part)) > 1
    )
    made = {merge.merged for merge in merges} | set(renewal.shards if renewal else ())
    named = (*(renewal.deltas if renewal else ()), *base, *deltas, *earlier)
    lacking = (part for part in named if not has(part) and part not in made)
    return Want(base, deltas, earlier, tuple(dict.fromkeys(lacking)), merges, renewal, full)


def record(manifest: Manifest, want: Want, *, sha256: str, role_version: int, now: datetime) -> Held:
    """What current.json is to say of a manifest, whose digest is `sha256`, once all that is wanted is here."""
    return Held(
        list_id=manifest.list_id,
        name=manifest.list_name,
        version=manifest.version,
        role_version=role_version,
        status=manifest.status,
        algorithms=manifest.algorithms,
        scheme=manifest.scheme,
        columns=manifest.columns,
        entries=manifest.entries,
        manifest_sha256=sha256,
        published_at=write_time(manifest.published_at),
        applied_at=write_time(now.replace(microsecond=0)),
        purged=0,
        base_version=manifest.base.version,
        base_index_sha256=manifest.base.index.sha256,
        base=want.base,
        deltas=want.deltas,
        earlier=want.earlier,
    )


def of_segment(segment: Segment) -> HeldObject:
    ref = segment.object
    return HeldObject(
        sha256=ref.sha256,
        length=ref.length,
        rows=segment.operations,
        withdrawals=segment.withdrawals,
        from_version=segment.from_version,
        to_version=segment.to_version,
        path=ref.path,
    )


def shards_of(index: BaseIndex) -> tuple[HeldObject, ...]:
    return tuple(
        HeldObject(
            sha256=shard.object.sha256,
            length=shard.object.length,
            rows=shard.entries,
            withdrawals=0,
            from_version=0,
            to_version=index.version,
            path=shard.object.path,
            low=shard.low,
            high=shard.high,
        )
        for shard in index.shards
    )


def _run(parts: Sequence[HeldObject], merged: HeldObject) -> tuple[HeldObject, ...]:
    """The held neighbours that a merged segment stands for; none unless they cover just its range."""
    run = tuple(it for it in parts if merged.from_version <= it.from_version and it.to_version <= merged.to_version)
    ends = [merged.from_version, *(part.to_version for part in run)]
    starts = [*(part.from_version for part in run), merged.to_version]
    return run if ends == starts else ()


def _renewal(
    held: Held,
    shards: tuple[HeldObject, ...],
    version: int,
    parts: Sequence[HeldObject],
    coming: Sequence[HeldObject],
    has: Callable[[HeldObject], bool],
    settled: Callable[[HeldObject], bool],
) -> Renewal | None:
    """How to come from the held base to a newer one, at `version`.

    None when no segment, held or `coming`, ends where it stands.

    A delta that begins before the version reached may follow it: operations are absolute, so what is applied again
    changes nothing. One that runs past the new base would bring what that does not have.
    """
    makeable = tuple(it for it in shards if not settled(it) and all(map(has, overlapping(held.base, it))))
    if shards and not makeable:
        return None
    reached, way = held.base_version, list[HeldObject]()
    while reached < version:
        steps = [it for it in (*parts, *coming) if it.from_version <= reached < it.to_version <= version]
        if not steps:
            return None
        way.append(max(steps, key=lambda part: part.to_version))
        reached = way[-1].to_version
    return Renewal(version, makeable, held.base, tuple(way))


def overlapping(base: Sequence[HeldObject], shard: HeldObject) -> list[HeldObject]:
    """Those of the shards `base` that can hold a key of `shard`."""
    return [it for it in base if it.low <= shard.high and shard.low <= it.high]
