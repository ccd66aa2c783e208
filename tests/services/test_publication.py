"""A release goes from the publisher's tool to the heads of those who may read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hashshare.models import Commit, Job, Metadata, Release, StoredObject
from hashshare.selectors.lists import heads
from hashshare.selectors.metadata import metadata_file
from hashshare.selectors.objects import read_whole, target_object
from hashshare.wire import errors
from hashshare.wire.manifest import Redistribution
from tests import builders as b

pytestmark = pytest.mark.django_db


def test_it_publishes_the_first_version() -> None:
    feed = b.feed(b.publisher())
    job = feed.release(feed.first([b.entry(), b.entry(), b.entry()]))
    assert job.state == Job.State.DONE, job.problem
    assert job.result == {"list": "aurora.example/images", "version": 1, "role_version": 1}
    assert (job.worker, job.task_id, job.attempts) == ("test", "test", 1)
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.role_version, feed.row.entries, feed.row.state) == (1, 1, 3, "active")
    release = Release.objects.get()
    assert (release.state, release.version, release.upserts) == ("published", 1, 3)


def test_it_shows_of_what_it_does_not_know_in_a_policy_only_the_name() -> None:
    """Everybody's catalogue has it, and a hotline could put half a megabyte there; but it may forbid something."""
    feed = b.feed(b.publisher())
    policy = Redistribution("named", ("south.example",), ("XX",), {"later": "x" * 500_000, "\0": 1})
    feed.publish(feed.first([b.entry()], redistribution=policy))
    known = {"policy": "named", "peers": ["south.example"], "not_in": ["XX"]}
    assert feed.row.redistribution == {**known, "unknown": ["?", "later"]}


def test_it_publishes_changes() -> None:
    feed = b.feed(b.publisher())
    kept, wrong, new = b.entry(), b.entry(), b.entry()
    feed.publish(feed.first([kept, wrong]))
    feed.publish(feed.next([b.upsert(new), b.upsert(kept | {"category": "B"}), b.withdraw(wrong)], growth=0))
    assert (feed.row.version, feed.row.role_version, feed.row.entries) == (2, 2, 2)
    release = Release.objects.get(version=2)
    assert (release.upserts, release.withdrawals, release.withdrawal_reasons) == (2, 1, {"incorrect": 1})


def test_it_serves_what_was_published_to_a_subscriber() -> None:
    feed, cobalt = b.feed(b.publisher()), b.member()
    feed.publish(feed.first([b.entry()]))
    assert heads(caller=cobalt.caller, now=b.now()) == []
    b.subscribed(cobalt, feed)
    head = heads(caller=cobalt.caller, now=b.now())[0]
    assert (head.name, head.id, head.version, head.role_version) == ("aurora.example/images", feed.list_id, 1, 1)
    assert feed.manifest is not None
    where: dict[str, Any] = {"domain": "aurora.example", "list_id": feed.list_id, "now": b.now()}
    for ref in feed.manifest.object_refs():
        target = target_object(caller=cobalt.caller, digest=ref.sha256, name=ref.name, **where)
        assert len(read_whole(target)) == ref.length


def test_it_signs_a_snapshot_that_names_the_feed() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    names: dict[str, Any] = {"caller": feed.publisher.caller, "domain": "aurora.example", "now": b.now()}
    timestamp = json.loads(metadata_file(filename="timestamp.json", **names).content)
    version = timestamp["signed"]["meta"]["snapshot.json"]["version"]
    snapshot = json.loads(metadata_file(filename=f"{version}.snapshot.json", **names).content)
    assert snapshot["signed"]["meta"][f"{feed.list_id}.json"]["version"] == 1
    assert Metadata.objects.filter(role="timestamp").count() == 1


def test_it_refreshes_the_signature_without_a_release() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    assert feed.manifest is not None
    feed.publish(feed.manifest)
    assert (feed.row.version, feed.row.role_version) == (1, 2)
    assert Release.objects.count() == 1


def test_it_supersedes_the_old_manifest() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    old = feed.row.manifest_digest
    feed.publish(feed.next([b.upsert(b.entry())]))
    assert StoredObject.objects.get(digest=old).superseded_at is not None
    assert not StoredObject.objects.exclude(digest=old).filter(superseded_at__isnull=False).exists()


def test_it_answers_a_repeated_commit_with_the_same_job() -> None:
    feed = b.feed(b.publisher())
    roles = feed.signed(feed.first([b.entry()]))
    first, second = feed.publisher.submit(roles, if_match=0), feed.publisher.submit(roles, if_match=0)
    assert first.pk == second.pk
    assert Commit.objects.filter(list=feed.row).count() == 1


def test_it_rejects_another_commit_while_one_is_pending() -> None:
    feed = b.feed(b.publisher())
    job = feed.submit(feed.first([b.entry()]))
    with pytest.raises(errors.Conflict) as caught:
        feed.submit(feed.first([b.entry()]))
    assert caught.value.facts["job"] == str(job.pk)


def test_it_reuses_the_number_of_a_rejected_release() -> None:
    feed = b.feed(b.publisher())
    wrong, held = b.entry(), b.entry()
    feed.publish(feed.first([held]))
    rejected = feed.release(feed.next([b.withdraw(wrong)]))
    assert rejected.state == Job.State.FAILED
    feed.publish(feed.next([b.withdraw(held)]))
    assert list(Release.objects.order_by("created_at").values_list("version", "state")) == [
        (1, "published"),
        (2, "rejected"),
        (2, "published"),
    ]
