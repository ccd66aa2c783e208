"""Root and targets: first contact, rotation, delegation, and what a stolen key cannot do."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import Signer

from hashshare.hub_keys import hub_keys
from hashshare.models import Job, Metadata, Publisher
from hashshare.wire import errors, keys, repository
from tests import builders as b

pytestmark = pytest.mark.django_db


def signer(key: Ed25519PrivateKey) -> Signer:
    return keys.tuf_signer(key)


@pytest.fixture
def aurora() -> b.Publisher:
    return b.publisher()


def rotated(aurora: b.Publisher, new: Ed25519PrivateKey, *signing: Ed25519PrivateKey) -> bytes:
    """Root version 2 with `new` for the only officer."""
    own = [signer(new).public_key]
    return repository.next_root(
        aurora.root, root_keys=own, targets_keys=own, signers=[signer(key) for key in signing], now=b.now()
    )


def test_it_gives_the_publisher_its_fingerprint(aurora: b.Publisher) -> None:
    row = Publisher.objects.get()
    assert row.root_fingerprint == hashlib.sha256(aurora.root).hexdigest()
    assert sorted(Metadata.objects.values_list("role", flat=True)) == ["root", "snapshot", "targets", "timestamp"]


def test_it_keeps_the_fingerprint_over_a_rotation(aurora: b.Publisher) -> None:
    before, new = Publisher.objects.get().root_fingerprint, keys.generate()
    root = rotated(aurora, new, aurora.officer, new)
    targets = repository.renew_targets(aurora.targets, signers=[signer(new)], now=b.now())
    job = aurora.commit({"root": root, "targets": targets}, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    assert Publisher.objects.get().root_fingerprint == before
    assert Metadata.objects.filter(role="root").count() == 2


def test_it_refuses_a_root_that_the_old_officers_did_not_sign(aurora: b.Publisher) -> None:
    thief = keys.generate()
    with pytest.raises(errors.BadSignature):
        aurora.submit({"root": rotated(aurora, thief, thief)}, if_match=1)


def test_it_refuses_a_second_first_root(aurora: b.Publisher) -> None:
    other = b.Publisher(aurora.party, aurora.domain)
    with pytest.raises(errors.VersionConflict):
        other.init()


def test_it_refuses_targets_of_somebody_who_is_no_officer(aurora: b.Publisher) -> None:
    targets = repository.renew_targets(aurora.targets, signers=[signer(keys.generate())], now=b.now())
    with pytest.raises(errors.BadSignature):
        aurora.submit({"targets": targets}, if_match=1)


def test_it_refuses_to_delegate_what_is_no_list(aurora: b.Publisher) -> None:
    with pytest.raises(errors.MalformedMetadata):
        aurora.delegate("0123456789abcdef")


def test_it_refuses_to_delegate_another_publishers_list(aurora: b.Publisher) -> None:
    other = b.feed(b.publisher("Borealis", "borealis.example"))
    with pytest.raises(errors.MalformedMetadata):
        aurora.delegate(other.list_id)


def test_it_refuses_to_drop_a_published_list(aurora: b.Publisher) -> None:
    feed = b.feed(aurora)
    feed.publish(feed.first([b.entry()]))
    empty = repository.create_targets(signers=[signer(aurora.officer)], now=b.now())
    for _ in range(2):
        empty = repository.renew_targets(empty, signers=[signer(aurora.officer)], now=b.now())
    with pytest.raises(errors.MalformedMetadata):
        aurora.submit({"targets": empty}, if_match=2)


def replaced(feed: b.Feed, key: Ed25519PrivateKey) -> bytes:
    aurora = feed.publisher
    return repository.delegate_list(
        aurora.targets,
        list_id=feed.list_id,
        keys=[signer(key).public_key],
        signers=[signer(aurora.officer)],
        now=b.now(),
    )


def test_it_replaces_a_stolen_feed_key(aurora: b.Publisher) -> None:
    feed = b.feed(aurora)
    feed.publish(feed.first([b.entry()]))
    stolen, fresh = aurora.feed, keys.generate()
    assert feed.manifest is not None
    roles = {"targets": replaced(feed, fresh)}
    aurora.feed = fresh
    roles |= feed.signed(feed.manifest)
    job = aurora.commit(roles, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    feed.role_version += 1
    feed.row.refresh_from_db()
    assert (feed.row.role_version, feed.row.version) == (2, 1)
    with pytest.raises(errors.BadSignature):
        feed.submit(feed.next([b.upsert(b.entry())]), signers=[signer(stolen)])
    feed.publish(feed.next([b.upsert(b.entry())]))


def test_it_refuses_a_release_beside_a_new_feed_key(aurora: b.Publisher) -> None:
    feed = b.feed(aurora)
    feed.publish(feed.first([b.entry()]))
    fresh = keys.generate()
    roles = {"targets": replaced(feed, fresh)}
    aurora.feed = fresh
    roles |= feed.signed(feed.next([b.upsert(b.entry())]))
    with pytest.raises(errors.MalformedMetadata):
        aurora.submit(roles, if_match=1)


def test_it_replaces_the_key_of_several_lists_in_one_commit(aurora: b.Publisher) -> None:
    first, second = b.feed(aurora, slug="images"), b.feed(aurora, slug="video")
    for feed in (first, second):
        feed.publish(feed.first([b.entry()]))
    fresh = keys.generate()
    given = {feed.list_id: [signer(fresh).public_key] for feed in (first, second)}
    signers = [signer(aurora.officer)]
    targets = repository.delegate_lists(aurora.targets, keys=given, signers=signers, now=b.now())
    aurora.feed = fresh
    assert first.manifest is not None and second.manifest is not None
    one, other = first.signed(first.manifest), second.signed(second.manifest)
    with pytest.raises(errors.BadSignature):
        aurora.submit({"targets": targets, **one}, if_match=1)
    job = aurora.commit({"targets": targets, **one, **other}, if_match=1)
    assert job.state == Job.State.DONE, job.problem
    for feed in (first, second):
        feed.role_version += 1
        feed.publish(feed.next([b.upsert(b.entry())]))


def test_it_makes_the_hubs_keys_once() -> None:
    first, again = hub_keys(), hub_keys()
    assert first.public == again.public
    assert [key["keyid"] for key in first.public] == [key.keyid for key in first.both]
    assert first.public[0]["keyid"] != first.public[1]["keyid"]
