"""A feed key alone takes at most a hundred entries or a hundredth of a list in seven days, however it goes about it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F
from tuf.api.metadata import Metadata as Signed
from tuf.api.metadata import Targets

from hashshare.models import Job, Leaf, Metadata, Release, StoredObject
from hashshare.selectors.logs import publication_log
from hashshare.services.objects import prune_objects
from hashshare.wire import errors, keys, repository
from hashshare.wire.major import Major
from hashshare.wire.manifest import Manifest
from hashshare.wire.objects import ObjectRef
from tests import builders as b

pytestmark = pytest.mark.django_db

HUBS = ("snapshot", "timestamp")
"""What the hub signs itself, which is not in the publication log."""


@pytest.fixture
def rows() -> list[b.Row]:
    return [b.entry() for _ in range(1_000)]


@pytest.fixture
def images(rows: list[b.Row]) -> b.Feed:
    owner = b.publisher()
    assert owner.delegate_major().state == Job.State.DONE
    feed = b.feed(owner)
    feed.publish(feed.first(rows))
    return feed


def withdrawal(feed: b.Feed, rows: list[b.Row]) -> Manifest:
    return feed.next([b.withdraw(row) for row in rows])


def refused(feed: b.Feed, manifest: Manifest, **options: Any) -> dict[str, Any]:
    job = feed.release(manifest, **options)
    assert job.state == Job.State.FAILED, job.result
    assert job.problem is not None
    assert job.problem["type"].endswith("/major-required"), job.problem
    feed.row.refresh_from_db()
    assert feed.row.version == manifest.version - 1
    return dict(job.problem)


def days_pass(number: int) -> None:
    """For what was published so far."""
    Release.objects.update(published_at=F("published_at") - timedelta(days=number))


# --- the rule ----------------------------------------------------------------------------------------------------


def test_it_rejects_a_large_withdrawal_by_the_feed_key_alone(images: b.Feed, rows: list[b.Row]) -> None:
    problem = refused(images, withdrawal(images, rows[:300]))
    assert (problem["lost"], problem["before"], problem["held"]) == (300, 0, 1_000)
    assert "takes 300 entries" in problem["detail"]
    assert "two holders" in problem["next_step"]


def test_a_hundred_go_without(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(withdrawal(images, rows[:100]))
    assert Release.objects.get(version=2).major is False


def test_it_publishes_one_that_two_signed_for_in_the_same_commit(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    major = images.major(manifest, lost=300)
    images.publish(manifest, major=images.publisher.sign_major(major))
    assert Release.objects.get(version=2).major is True
    kept = Metadata.objects.get(role="major")
    assert (kept.version, kept.list) == (1, None)
    assert StoredObject.objects.get(name="major-2.json").published_at is not None
    assert Leaf.objects.filter(log=publication_log()).count() == Metadata.objects.exclude(role__in=HUBS).count()


def test_it_publishes_one_that_two_signed_for_before(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    owner = images.publisher
    owner.major = owner.sign_major(images.major(manifest, lost=300))
    assert owner.commit({"major": owner.major}, if_match=0).state == Job.State.DONE
    images.publish(manifest)
    assert Release.objects.get(version=2).major is True


def test_what_a_major_covered_is_not_counted_again(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    images.publish(manifest, major=images.publisher.sign_major(images.major(manifest, lost=300)))
    images.publish(withdrawal(images, rows[300:400]))
    refused(images, withdrawal(images, rows[400:401]))


# --- ways around it ----------------------------------------------------------------------------------------------


def test_many_small_releases_add_up(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(withdrawal(images, rows[:60]))
    images.publish(withdrawal(images, rows[60:100]))
    problem = refused(images, withdrawal(images, rows[100:101]))
    assert (problem["lost"], problem["before"]) == (1, 100)
    days_pass(7)
    images.publish(withdrawal(images, rows[100:200]))


def test_adding_entries_first_allows_no_more(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(images.next([b.upsert(b.entry()) for _ in range(20_000)]))
    assert refused(images, withdrawal(images, rows[:101]))["held"] == 1_000
    days_pass(7)
    images.publish(withdrawal(images, rows[:101]))


def test_bringing_entries_back_pays_for_none(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(withdrawal(images, rows[:100]))
    images.publish(images.next([b.reinstate(row) for row in rows[:100]], growth=100))
    refused(images, withdrawal(images, rows[100:101]))


def test_a_new_base_and_merges_forget_nothing(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(withdrawal(images, rows[:60]))
    images.publish(withdrawal(images, rows[60:100]))
    following = images.next([b.upsert(b.entry())])
    images.publish(images.renewed(images.merged(following, 1, 3), 3))
    assert refused(images, withdrawal(images, rows[100:101]))["before"] == 100


def test_refreshing_forgets_nothing(images: b.Feed, rows: list[b.Row]) -> None:
    images.publish(withdrawal(images, rows[:100]))
    assert images.manifest is not None
    images.publish(images.manifest)
    refused(images, withdrawal(images, rows[100:101]))


def test_taking_hashes_away_counts_like_withdrawing(images: b.Feed, rows: list[b.Row]) -> None:
    gutted = [b.upsert(row | {"md5": None}) for row in rows[:101]]
    assert refused(images, images.next(gutted, growth=0))["lost"] == 101
    images.publish(images.next(gutted[:100], growth=0))
    assert Release.objects.get(version=2, state="published").weakened == 100
    refused(images, withdrawal(images, rows[200:201]))


def test_ending_entries_sooner_counts_like_withdrawing() -> None:
    rows = [b.entry(expires=date(2040, 1, 1)) for _ in range(300)]
    feed = b.feed(b.publisher(), columns=["category", "expires"])
    feed.publish(feed.first(rows))
    ended = [b.upsert(row | {"expires": date(2039, 12, 31)}) for row in rows[:101]]
    assert refused(feed, feed.next(ended, growth=0))["lost"] == 101
    longer = [b.upsert(row | {"expires": date(2041, 1, 1)}) for row in rows]
    feed.publish(feed.next(longer, growth=0))


# --- majors that do not do ---------------------------------------------------------------------------------------


def test_it_rejects_a_major_for_another_manifest_or_number(images: b.Feed, rows: list[b.Row]) -> None:
    meant, other = withdrawal(images, rows[:300]), withdrawal(images, rows[300:600])
    owner = images.publisher
    problem = refused(images, other, major=owner.sign_major(images.major(meant, lost=300)))
    assert "another manifest" in problem["detail"]
    problem = refused(images, other, major=owner.sign_major(images.major(other, lost=299)))
    assert "another number" in problem["detail"]
    assert not Metadata.objects.filter(role="major").exists()


def test_it_rejects_a_major_whose_signers_were_shown_another_size_of_the_list(
    images: b.Feed, rows: list[b.Row]
) -> None:
    manifest, owner = withdrawal(images, rows[:300]), images.publisher
    problem = refused(images, manifest, major=owner.sign_major(images.major(manifest, lost=300, held=1_000_000)))
    assert f"a list of 1,000,000 entries, and this one has {len(rows):,}" in problem["detail"]
    images.publish(manifest, major=owner.sign_major(images.major(manifest, lost=300, held=len(rows))))


def test_a_stolen_feed_key_signs_no_major(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    major, owner = images.major(manifest, lost=300), images.publisher
    for by in ([owner.feed], [owner.feed, owner.feed], [owner.feed, owner.seconds[0]], [keys.generate(), owner.feed]):
        with pytest.raises(errors.BadSignature):
            images.submit(manifest, major=owner.sign_major(major, by=by))


def test_a_publisher_without_the_role_is_told_what_to_do(rows: list[b.Row]) -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first(rows))
    manifest = withdrawal(feed, rows[:300])
    with pytest.raises(errors.MalformedMetadata, match="no major role"):
        feed.submit(manifest, major=feed.publisher.sign_major(feed.major(manifest, lost=300)))
    refused(feed, manifest)


def test_it_wants_the_document_uploaded(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    made = images.major(manifest, lost=300)
    StoredObject.objects.filter(name="major-2.json").delete()
    with pytest.raises(errors.MissingObject):
        images.submit(manifest, major=images.publisher.sign_major(made))


def test_it_rejects_a_document_that_says_another_version(images: b.Feed, rows: list[b.Row]) -> None:
    """As two who were shown something else might sign."""
    manifest = withdrawal(images, rows[:300])
    document = images.major(manifest, lost=300, version=7).to_bytes()
    ref = images.put(f"{images.list_id}/major-2.json", document)

    targets = Targets(expires=b.now() + timedelta(days=9), targets={ref.path: ref.to_target()})
    signed: Signed[Targets] = Signed(targets)
    for key in images.publisher.seconds:
        signed.sign(keys.tuf_signer(key), append=True)
    with pytest.raises(errors.MalformedMajor):
        images.submit(manifest, major=signed.to_bytes())


def test_it_rejects_a_document_of_a_list_that_is_not_there(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    stranger = Major("0" * 16, "aurora.example/other", 2, 300, images.major(manifest, lost=300).manifest)
    with pytest.raises(errors.MalformedMetadata, match="no list"):
        images.submit(manifest, major=images.publisher.sign_major(stranger))


# --- beside it ---------------------------------------------------------------------------------------------------


def test_it_can_be_renewed_alone_and_comes_beside_new_keys(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    owner = images.publisher
    images.publish(manifest, major=owner.sign_major(images.major(manifest, lost=300)))
    owner.major = owner.sign_major()
    assert owner.commit({"major": owner.major}, if_match=1).state == Job.State.DONE
    owner.seconds = [keys.generate(), keys.generate()]
    before = owner.targets
    with pytest.raises(errors.BadSignature):
        owner.delegate_major()
    owner.targets = before
    targets = repository.delegate_major(
        owner.targets,
        keys=[keys.tuf_signer(key).public_key for key in owner.seconds],
        signers=[keys.tuf_signer(owner.officer)],
        now=b.now(),
    )
    job = owner.commit({"targets": targets, "major": owner.sign_major()}, if_match=2)
    assert job.state == Job.State.DONE, job.problem
    assert Metadata.objects.filter(role="major").count() == 3


def test_documents_outlive_what_they_stood_for(images: b.Feed, rows: list[b.Row]) -> None:
    manifest = withdrawal(images, rows[:300])
    images.publish(manifest, major=images.publisher.sign_major(images.major(manifest, lost=300)))
    images.publish(images.next([b.upsert(b.entry())]))
    prune_objects(now=b.now() + timedelta(days=60))
    assert StoredObject.objects.filter(name="major-2.json").exists()
    assert not StoredObject.objects.filter(digest=ObjectRef.of("", manifest.to_bytes()).sha256).exists()
