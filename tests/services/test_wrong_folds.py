"""A chain that leaves something out, and merges and bases that drop, add or change one row: refused, and said where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hashshare.models import Job
from hashshare.services.manifests import object_path, read_base_index
from hashshare.wire import errors
from hashshare.wire.baseindex import Shard
from hashshare.wire.engine import literal, open_engine
from hashshare.wire.entries import segment_columns
from hashshare.wire.manifest import Manifest, Segment
from hashshare.wire.segments import write_base, write_delta
from tests import builders as b

pytestmark = pytest.mark.django_db

HELD = 60


@pytest.fixture
def images() -> b.Feed:
    """Version 4: a base of three shards and three deltas over it."""
    feed = b.feed(b.publisher())
    held = [b.entry() for _ in range(HELD)]
    feed.publish(feed.first(held, shard_entries=20))
    feed.publish(feed.next([b.upsert(b.entry()) for _ in range(5)] + [b.withdraw(row) for row in held[:3]]))
    feed.publish(feed.next([b.upsert(row | {"category": "C"}) for row in held[10:15]], growth=0))
    feed.publish(feed.next([b.withdraw(row) for row in held[20:23]]))
    return feed


# --- Chains ---------------------------------------------------------------------------------------------------------


def cut(manifest: Manifest, place: int, **changes: Any) -> Manifest:
    """The manifest with one segment changed, in name too, as it would have to be."""
    segments = list(manifest.segments)
    made = replace(segments[place], **changes)
    path = f"{manifest.list_id}/delta-{made.from_version}-{made.to_version}.parquet"
    segments[place] = replace(made, object=replace(made.object, path=path))
    return replace(manifest, segments=tuple(segments))


def unknown(manifest: Manifest) -> Manifest:
    """The newest segment has a digest that nobody uploaded."""
    *older, newest = manifest.segments
    return replace(manifest, segments=(*older, replace(newest, object=replace(newest.object, sha256="0" * 64))))


CHAINS: dict[str, tuple[Callable[[Manifest], Manifest], type[errors.HashshareError]]] = {
    "a gap": (lambda it: replace(it, segments=(it.segments[0], *it.segments[2:])), errors.MalformedManifest),
    "an overlap": (lambda it: cut(it, 2, from_version=2), errors.MalformedManifest),
    "the newest change left out": (lambda it: replace(it, segments=it.segments[:-1]), errors.MalformedManifest),
    "a segment that runs backwards": (lambda it: cut(it, 1, to_version=2), errors.MalformedManifest),
    "a base below the floor": (lambda it: replace(it, segments=it.segments[1:]), errors.MalformedManifest),
    "a missing object": (unknown, errors.MissingObject),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_broken_chain_is_refused_at_once(images: b.Feed, chain: str) -> None:
    broken, error = CHAINS[chain]
    following = images.next([b.upsert(b.entry())])
    with pytest.raises(error) as refused:
        images.submit(broken(following))
    assert type(refused.value) is error
    images.publish(following)


def test_a_missing_shard_is_named(images: b.Feed) -> None:
    renewed = images.renewed(images.next([b.upsert(b.entry())]), 4, shard_entries=20)
    gone = read_base_index(renewed.base.index).shards[1].object
    object_path(gone).unlink()
    problem = rejected(images, renewed)
    assert (problem["type"], problem["paths"]) == ("missing-object", [gone.path])


# --- Folds ----------------------------------------------------------------------------------------------------------


FAULTS: dict[str, tuple[str, dict[str, int]]] = {
    "drops a row": ("DELETE FROM rows WHERE p = $p", {"missing": 1, "foreign": 0, "different": 0}),
    "adds a row": (
        "INSERT INTO rows SELECT * REPLACE (p + 1 AS p) FROM rows WHERE p = $p",
        {"missing": 0, "foreign": 1, "different": 0},
    ),
    "changes a row": (
        "UPDATE rows SET md5 = unhex('00000000000000000000000000000000') WHERE p = $p",
        {"missing": 0, "foreign": 0, "different": 1},
    ),
    "exchanges a row": (
        "UPDATE rows SET s = unhex(repeat('ab', 24)) WHERE p = $p",
        {"missing": 1, "foreign": 1, "different": 0},
    ),
}


def spoil(engine: Any, source: Any, fault: str, kind: Any, feed: b.Feed) -> str:
    """Fills the table `rows` with those of `source`, one of them spoilt; the prefix of the key that differs."""
    columns = ", ".join(segment_columns(feed.fmt, kind))
    live = "WHERE op <> 2" if kind == "delta" else ""
    engine.execute(f"CREATE OR REPLACE TABLE rows AS SELECT {columns} FROM read_parquet({literal(source)})")
    p = engine.execute(f"SELECT p FROM rows {live} ORDER BY p LIMIT 1 OFFSET 3").fetchone()[0]
    engine.execute(FAULTS[fault][0].replace("$p", str(p)))
    return f"{p + 1 if fault == 'adds a row' else p:016x}"


def rejected(feed: b.Feed, manifest: Manifest) -> dict[str, Any]:
    """The problem with which the worker rejects it; what is served stays as it was."""
    job = feed.release(manifest)
    feed.row.refresh_from_db()
    assert (job.state, feed.row.version) == (Job.State.FAILED, 4)
    assert job.problem is not None
    return {**job.problem, "type": job.problem["type"].rsplit("/", 1)[1]}


def check_named(problem: dict[str, Any], prefix: str, fault: str) -> None:
    told = {name: problem[name] for name in ("type", "low", "high", "missing", "foreign", "different")}
    assert told == {"type": "wrong-fold", "low": prefix, "high": prefix, **FAULTS[fault][1]}
    assert f"Among the keys {prefix} to {prefix}" in problem["detail"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_merge_is_refused_naming_the_keys_that_differ(images: b.Feed, fault: str) -> None:
    following = images.merged(images.next([b.upsert(b.entry())]), 1, 4)
    good, path = images.folder / "delta-1-4.parquet", images.folder / "spoilt.parquet"
    with open_engine(read=[good], write=images.folder) as engine:
        prefix = spoil(engine, good, fault, "delta", images)
        facts = write_delta(engine, "rows", path, fmt=images.fmt)
    spoilt = Segment(1, 4, facts.upserts, facts.withdrawals, images.put_file(good.name, path))
    check_named(rejected(images, replace(following, segments=(spoilt, following.segments[-1]))), prefix, fault)
    images.publish(following)


@pytest.mark.parametrize(("fault", "number"), list(zip(FAULTS, (0, 1, 2, 0), strict=True)))
def test_a_base_is_refused_naming_the_keys_that_differ(images: b.Feed, fault: str, number: int) -> None:
    """Whichever shard the fault is in: each is judged by a job of its own."""
    following = images.renewed(images.next([b.upsert(b.entry())]), 4, shard_entries=20)
    shards = list(read_base_index(following.base.index).shards)
    good = object_path(shards[number].object)
    with open_engine(read=[good], write=images.folder) as engine:
        prefix = spoil(engine, good, fault, "base", images)
        (made,) = write_base(engine, "rows", images.folder, fmt=images.fmt, version=99)
    ref = images.put_file(shards[number].object.name, made.path)
    shards[number] = Shard(made.facts.low, made.facts.high, made.facts.rows, ref)
    spoilt = images.with_base(following, 4, tuple(shards))
    check_named(rejected(images, spoilt), prefix, fault)
    images.publish(following)


def test_of_several_faults_the_first_in_key_order_is_named(images: b.Feed) -> None:
    following = images.renewed(images.next([b.upsert(b.entry())]), 4, shard_entries=20)
    first, second, *others = read_base_index(following.base.index).shards
    alone = replace(second, object=images.put_file(first.object.name, object_path(second.object)))
    problem = rejected(images, images.with_base(following, 4, (alone,)))
    assert problem["type"] == "wrong-fold"
    assert (problem["low"], problem["high"]) == (first.low, others[-1].high)
    assert problem["missing"] == sum(shard.entries for shard in (first, *others))


def test_an_empty_base_is_refused_while_entries_are_held(images: b.Feed) -> None:
    following = images.next([b.upsert(b.entry())])
    problem = rejected(images, images.with_base(following, 4, ()))
    assert (problem["type"], problem["missing"]) == ("wrong-fold", HELD + 5 - 3 - 3)


def test_a_new_bases_counts_are_checked(images: b.Feed) -> None:
    following = images.renewed(images.next([b.upsert(b.entry())]), 3, shard_entries=20)
    assert rejected(images, replace(following, entries=following.entries + 1))["type"] == "malformed-manifest"
    images.publish(following)
