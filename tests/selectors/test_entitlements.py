"""An organisation sees and reads what is its own or granted to it; all else looks as if it were not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from hashshare.models import Job, Metadata
from hashshare.selectors.callers import Caller
from hashshare.selectors.jobs import job
from hashshare.selectors.lists import catalogue, heads, heads_tag, list_detail
from hashshare.selectors.metadata import metadata_file
from hashshare.selectors.objects import target_object
from hashshare.selectors.publishers import publisher, publishers
from hashshare.selectors.releases import release, releases
from hashshare.selectors.status import status
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    return feed


def doors(feed: b.Feed, **changes: str) -> list[Callable[[Caller], Any]]:
    """Everything that reads something of a list, for a caller."""
    names: dict[str, Any] = {"domain": feed.publisher.domain, "slug": feed.row.slug, "list_id": feed.list_id} | changes
    domain, slug, list_id = names["domain"], names["slug"], names["list_id"]
    digest = feed.row.manifest_digest
    return [
        lambda c: releases(caller=c, domain=domain, slug=slug, now=b.now()),
        lambda c: release(caller=c, domain=domain, slug=slug, version=1, now=b.now()),
        lambda c: metadata_file(caller=c, domain=domain, filename=f"1.{list_id}.json", now=b.now()),
        lambda c: target_object(
            caller=c, domain=domain, list_id=list_id, digest=digest, name="manifest.json", now=b.now()
        ),
    ]


def test_it_hides_a_list_from_strangers_as_if_it_were_not_there(images: b.Feed) -> None:
    borealis, cobalt = b.publisher("Borealis", "borealis.example"), b.member()
    for stranger in (borealis.caller, cobalt.caller, b.partner().caller):
        there, nowhere = doors(images), doors(images, domain="nowhere.example", slug="x", list_id="0" * 16)
        for real, unreal in zip(there, nowhere, strict=True):
            with pytest.raises(errors.NotEntitled) as one:
                real(stranger)
            with pytest.raises(errors.NotEntitled) as other:
                unreal(stranger)
            assert (one.value.message, one.value.facts) == (other.value.message, other.value.facts)


def test_it_opens_a_list_to_its_publisher_and_its_subscribers(images: b.Feed) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    for reader in (images.publisher.caller, cobalt.caller):
        for door in doors(images):
            assert door(reader)


def test_it_says_not_found_only_to_readers(images: b.Feed) -> None:
    names: dict[str, Any] = {"caller": images.publisher.caller, "domain": "aurora.example", "now": b.now()}
    for filename in ("9.root.json", "root.json", "1.timestamp.json", "0.root.json", "1.mirrors.json", "x", ""):
        with pytest.raises(errors.NotFound):
            metadata_file(filename=filename, **names)
    with pytest.raises(errors.NotFound):
        target_object(list_id=images.list_id, digest="0" * 64, name="manifest.json", **names)


def test_it_serves_no_object_before_it_is_published() -> None:
    feed = b.feed(b.publisher())
    manifest = feed.first([b.entry()])
    ref = manifest.base.index
    with pytest.raises(errors.NotFound):
        target_object(
            caller=feed.publisher.caller,
            domain="aurora.example",
            list_id=feed.list_id,
            digest=ref.sha256,
            name=ref.name,
            now=b.now(),
        )


def test_it_shows_a_subscriber_of_one_list_nothing_of_another(images: b.Feed) -> None:
    video, cobalt = b.feed(images.publisher, "video"), b.member()
    video.publish(video.first([b.entry()]))
    b.subscribed(cobalt, images)
    with pytest.raises(errors.NotEntitled):
        metadata_file(caller=cobalt.caller, domain="aurora.example", filename=f"1.{video.list_id}.json", now=b.now())
    assert [head.name for head in heads(caller=cobalt.caller, now=b.now())] == ["aurora.example/images"]
    assert len(heads(caller=images.publisher.caller, now=b.now())) == 2


def test_it_tags_heads_by_what_is_in_them(images: b.Feed) -> None:
    caller = images.publisher.caller
    before = heads_tag(heads(caller=caller, now=b.now()))
    assert heads_tag(heads(caller=caller, now=b.now())) == before
    assert images.manifest is not None
    images.publish(images.manifest)
    assert heads_tag(heads(caller=caller, now=b.now())) != before


def test_it_answers_heads_in_one_query(images: b.Feed, django_assert_num_queries: Any) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    with django_assert_num_queries(1):
        assert len(heads(caller=cobalt.caller, now=b.now())) == 1


def test_it_offers_the_catalogue_to_everyone(images: b.Feed) -> None:
    cobalt = b.member()
    assert [found.list.name for found in catalogue(caller=cobalt.caller)] == ["aurora.example/images"]
    assert catalogue(caller=cobalt.caller, query="aurora known") != []
    assert catalogue(caller=cobalt.caller, query="aurora video") == []
    assert list_detail(caller=images.publisher.caller, domain="aurora.example", slug="images").own
    suspend_organisation(organisation=images.publisher.party.organisation)
    assert catalogue(caller=cobalt.caller) == []


def test_it_tells_the_root_of_publishers_in_the_catalogue(images: b.Feed) -> None:
    b.publisher("Borealis", "borealis.example")
    found = publishers(caller=b.member().caller)
    assert [(row.domain, row.name) for row in found] == [("aurora.example", "Aurora")]
    assert found[0].root == Metadata.objects.get(role="root", publisher__domain="aurora.example").content
    assert len(found[0].fingerprint) == 64
    with pytest.raises(errors.NotEntitled):
        publisher(caller=b.member("Cerise").caller, domain="borealis.example", now=b.now())


def test_it_shows_jobs_only_to_the_organisation_that_caused_them(images: b.Feed) -> None:
    made = Job.objects.filter(kind="verify_release").get()
    assert job(caller=images.publisher.caller, job_id=str(made.pk)) == made
    for wrong in (made.pk, uuid.uuid4(), "no-uuid"):
        with pytest.raises(errors.NotEntitled):
            job(caller=b.member(f"Cobalt {wrong}").caller, job_id=wrong)


def test_it_shows_rejected_releases_only_to_their_publisher(images: b.Feed) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    broken = images.next([b.upsert(b.entry())])
    images.submit(broken)
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": b.now()}
    assert releases(caller=images.publisher.caller, **names).count() == 2
    assert releases(caller=cobalt.caller, **names).count() == 1


def test_it_tells_an_organisation_who_it_is(images: b.Feed) -> None:
    cobalt = b.member()
    b.subscribed(cobalt, images)
    found = status(caller=cobalt.caller, now=b.now())
    assert [key.fingerprint for key in found.keys] == [cobalt.caller.key_id]
    assert [row.list.name for row in found.subscriptions] == ["aurora.example/images"]
    assert found.clock_skew_seconds is None
    assert [row.domain for row in status(caller=images.publisher.caller, now=b.now()).publishers] == ["aurora.example"]
