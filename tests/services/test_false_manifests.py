"""A manifest that is well formed and well signed, but does not tell the truth about the list or its objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hashshare.models import Job
from hashshare.services.manifests import object_path, read_base_index
from hashshare.wire import errors
from hashshare.wire.manifest import Manifest
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    return feed


def rejected(feed: b.Feed, manifest: Manifest) -> str:
    """The slug of the problem with which the worker rejects it, everything else left as it was."""
    feed.row.refresh_from_db()
    before = feed.row.version
    job = feed.release(manifest)
    feed.row.refresh_from_db()
    assert (job.state, feed.row.version) == (Job.State.FAILED, before)
    assert job.problem is not None
    return str(job.problem["type"].rsplit("/", 1)[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"list_name": "aurora.example/others"},
        {"algorithms": ("sha256", "sha1")},
        {"scheme": "ncmec"},
        {"columns": ("media",)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_first_version_is_of_the_list_that_was_declared(changes: dict[str, Any]) -> None:
    feed = b.feed(b.publisher())
    with pytest.raises(errors.MalformedManifest) as refused:
        feed.submit(feed.first([], **changes))
    assert refused.value.facts["field"] == next(iter(changes)).removeprefix("list_")


def longer(manifest: Manifest) -> Manifest:
    (delta,) = manifest.segments
    return replace(manifest, segments=(replace(delta, object=replace(delta.object, length=delta.object.length + 1)),))


def test_it_refuses_at_once_an_object_of_another_length(images: b.Feed) -> None:
    with pytest.raises(errors.WrongDigest):
        images.submit(longer(images.next([b.upsert(b.entry())])))


LIES: dict[str, Callable[[Manifest], Manifest]] = {
    "bytes": lambda manifest: replace(manifest, base=replace(manifest.base, bytes=manifest.base.bytes + 1)),
    "entries": lambda manifest: replace(manifest, base=replace(manifest.base, entries=3), entries=3),
}


@pytest.mark.parametrize("lie", LIES)
def test_it_rejects_a_first_base_that_is_not_what_the_index_says(lie: str) -> None:
    feed = b.feed(b.publisher())
    assert rejected(feed, LIES[lie](feed.first([b.entry(), b.entry()]))) == "malformed-manifest"


def test_it_rejects_a_count_of_entries_beside_a_base_without_lapsed_ones() -> None:
    feed = b.feed(b.publisher(), columns=["category", "expires"])
    yesterday = b.now().date() - timedelta(days=1)
    feed.publish(feed.first([b.entry(expires=yesterday), b.entry()]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    following = feed.renewed(feed.next([b.upsert(b.entry())]), 2)
    assert (following.base.entries, following.entries) == (2, 4)
    assert rejected(feed, following) == "malformed-manifest"
    feed.publish(replace(following, entries=3))


def test_it_rejects_a_release_over_a_published_object_that_vanished(images: b.Feed) -> None:
    """Else a manifest would be served that no member can complete."""
    assert images.manifest is not None
    (shard,) = read_base_index(images.manifest.base.index).shards
    following = images.next([b.upsert(b.entry())])
    kept = object_path(shard.object)
    kept.rename(kept.with_suffix(".gone"))
    assert rejected(images, following) == "missing-object"
    kept.with_suffix(".gone").rename(kept)
    images.publish(following)
