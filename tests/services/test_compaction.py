"""The hub proves what the publisher's tool compacts: merged segments and new bases equal what they replace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hashshare.models import Job
from hashshare.services.manifests import read_base_index
from hashshare.wire import errors
from hashshare.wire.engine import literal, open_engine
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import delta_path
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    """Version 4: a base of two shards and three deltas, with a withdrawal and its reinstatement in them."""
    feed = b.feed(b.publisher())
    held = [b.entry() for _ in range(40)]
    feed.publish(feed.first(held, shard_entries=20))
    feed.publish(feed.next([b.upsert(b.entry()), b.withdraw(held[0])], growth=0))
    feed.publish(feed.next([b.upsert(held[1] | {"category": "C"}), b.reinstate(held[0])], growth=1))
    feed.publish(feed.next([b.withdraw(held[2])]))
    return feed


def rejected(feed: b.Feed, manifest: Manifest) -> str:
    job = feed.release(manifest)
    feed.row.refresh_from_db()
    assert (job.state, feed.row.version) == (Job.State.FAILED, 4)
    assert job.problem is not None
    return str(job.problem["type"].rsplit("/", 1)[1])


def test_it_serves_a_base_of_several_shards(images: b.Feed) -> None:
    assert images.manifest is not None
    assert len(read_base_index(images.manifest.base.index).shards) == 2
    assert images.row.entries == 40


def test_it_accepts_a_merged_segment(images: b.Feed) -> None:
    images.publish(images.merged(images.next([b.upsert(b.entry())]), 1, 4))
    assert images.manifest is not None
    assert [(s.from_version, s.to_version) for s in images.manifest.segments] == [(1, 4), (4, 5)]


def test_it_rejects_a_merge_that_leaves_something_out(images: b.Feed) -> None:
    following = images.next([b.upsert(b.entry())])
    merged = images.merged(following, 1, 4).segments[0]
    last = following.segments[2]
    (images.folder / "delta-1-4.parquet").write_bytes((images.folder / "delta-3-4.parquet").read_bytes())
    ref = images.put(
        delta_path(images.list_id, from_version=1, to_version=4), (images.folder / "delta-1-4.parquet").read_bytes()
    )
    forged = replace(merged, upserts=last.upserts, withdrawals=last.withdrawals, object=ref)
    assert rejected(images, replace(following, segments=(forged, following.segments[-1]))) == "wrong-fold"


def test_it_rejects_a_merge_whose_counts_are_not_its_own(images: b.Feed) -> None:
    """Who could hide a withdrawal in the counts could later drop the segment that holds it."""
    following = images.merged(images.next([b.upsert(b.entry())]), 1, 4)
    merged, last = following.segments
    lying = replace(merged, upserts=merged.operations, withdrawals=0)
    assert rejected(images, replace(following, segments=(lying, last))) == "malformed-segment"


def test_it_rejects_a_merge_that_is_no_segment(images: b.Feed) -> None:
    """The right rows in the wrong order."""
    following = images.merged(images.next([b.upsert(b.entry())]), 1, 4)
    merged, last = following.segments
    good, forged = images.folder / "delta-1-4.parquet", images.folder / "forged.parquet"
    with open_engine(read=[good], write=images.folder) as engine:
        rows = f"SELECT * FROM read_parquet({literal(good)}) ORDER BY p DESC"
        engine.execute(f"COPY ({rows}) TO {literal(forged)} (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)")
    ref = images.put(delta_path(images.list_id, from_version=1, to_version=4), forged.read_bytes())
    forgery = replace(following, segments=(replace(merged, object=ref), last))
    assert rejected(images, forgery) == "malformed-segment"


def test_it_accepts_a_new_base_of_the_version_being_published(images: b.Feed) -> None:
    images.publish(images.renewed(images.next([b.upsert(b.entry())]), 5, shard_entries=20))
    assert images.manifest is not None
    assert (images.manifest.base.version, images.row.entries) == (5, 41)
    images.publish(images.next([b.upsert(b.entry())]))
    assert images.row.entries == 42


def test_it_accepts_a_new_base_of_an_older_version(images: b.Feed) -> None:
    following = images.next([b.upsert(b.entry())])
    images.publish(images.renewed(following, 3))
    assert images.manifest is not None
    assert (images.manifest.base.version, images.row.version, images.row.entries) == (3, 5, 41)


def test_it_rejects_a_new_base_that_lacks_an_entry(images: b.Feed) -> None:
    following = images.next([b.upsert(b.entry())])
    shards = read_base_index(images.renewed(following, 5, shard_entries=20).base.index).shards
    lacking = images.with_base(following, 5, shards[:1])
    assert rejected(images, replace(lacking, entries=lacking.base.entries)) == "wrong-fold"


def test_it_rejects_a_new_base_with_an_entry_too_many(images: b.Feed) -> None:
    following = images.next([b.upsert(b.entry())])
    older = images.renewed(following, 3).base
    assert older.entries == 41, "before the withdrawal of version 4"
    shards = read_base_index(older.index).shards
    renamed = images.folder / "base-4-0000.parquet"
    renamed.write_bytes((images.folder / "base-3-0000.parquet").read_bytes())
    shard = replace(shards[0], object=images.put_file(renamed.name, renamed))
    assert rejected(images, images.with_base(following, 4, (shard,))) == "wrong-fold"


def test_it_still_knows_what_was_withdrawn_before_the_base(images: b.Feed) -> None:
    wrong = b.entry()
    images.publish(images.next([b.upsert(wrong)]))
    images.publish(images.next([b.withdraw(wrong)]))
    images.publish(images.renewed(images.next([b.upsert(b.entry())]), 7))
    job = images.release(images.next([b.upsert(wrong)]))
    assert job.problem is not None and job.problem["type"].endswith("/withdrawn-key")


def test_it_refuses_a_chain_that_forgets_a_withdrawal(images: b.Feed) -> None:
    """Else the wrong hash could come back as a new one."""
    following = images.renewed(images.next([b.upsert(b.entry())]), 4)
    with pytest.raises(errors.RejectedContent, match="2 withdrawals"):
        images.submit(replace(following, segments=following.segments[3:]))
    images.publish(following)


def test_it_leaves_lapsed_entries_out_of_a_new_base() -> None:
    feed = b.feed(b.publisher(), columns=["category", "expires"])
    today = b.now().date()
    lapsed, lasting = b.entry(expires=today - timedelta(days=1)), b.entry(expires=today + timedelta(days=9))
    feed.publish(feed.first([lapsed, lasting]))
    assert feed.row.entries == 2
    following = feed.renewed(feed.next([b.upsert(b.entry())]), 2)
    assert following.base.entries == 2
    feed.publish(replace(following, entries=2))
    assert feed.row.entries == 2
