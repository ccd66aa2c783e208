"""Keys that the hub keeps for a hotline's list, and what its targets say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as hub_settings

from hashshare import hosted_keys
from hashshare.models import HostedKey, Job, OrganisationKey
from hashshare.services.hosting import key_in_use, offer_hosted_key, private_key, renewed_feed
from hashshare.wire import errors, keys, repository
from hashshare.wire.repository import read_role
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def aurora() -> b.Publisher:
    return b.publisher()


@pytest.fixture
def images(aurora: b.Publisher) -> b.Feed:
    return b.feed(aurora)


def offer(of: b.Feed) -> HostedKey:
    return offer_hosted_key(caller=of.publisher.caller, domain=of.publisher.domain, slug=of.row.slug, now=b.now())


def give(of: b.Feed, key: Any, *, hosted: bool, feeds: dict[str, bytes] | None = None) -> Job:
    """Targets that give the list to `key`, committed and worked off."""
    owner = of.publisher
    targets = repository.delegate_list(
        owner.targets,
        list_id=of.list_id,
        keys=[key],
        signers=[keys.tuf_signer(owner.officer)],
        now=b.now(),
        hosted=hosted,
    )
    roles = {"targets": targets, **(feeds or {})}
    standing = of.role_version if feeds else read_role("targets", owner.targets).version
    job = owner.commit(roles, if_match=standing)
    if job.state == Job.State.DONE:
        owner.targets = targets
    return job


def public(row: HostedKey) -> Any:
    return keys.tuf_key(bytes(row.public_key))


def test_a_key_is_offered_and_in_use_once_targets_say_so(images: b.Feed) -> None:
    row = offer(images)
    assert offer(images).pk == row.pk
    with pytest.raises(errors.NotAllowed):
        key_in_use(images.row)
    assert give(images, public(row), hosted=True).state == Job.State.DONE
    images.row.refresh_from_db()
    assert images.row.hosted
    used = key_in_use(images.row)
    assert keys.tuf_signer(private_key(used)).public_key.keyid == row.keyid
    assert used.hand is not None
    assert used.hand.organisation == images.publisher.party.organisation


def test_a_hub_key_is_refused_where_targets_do_not_say_so(images: b.Feed) -> None:
    with pytest.raises(errors.MalformedMetadata, match="does not say so"):
        give(images, public(offer(images)), hosted=False)


def test_a_key_of_the_hotlines_own_is_not_said_to_be_hosted(images: b.Feed) -> None:
    with pytest.raises(errors.MalformedMetadata, match="none that the hub keeps"):
        give(images, keys.tuf_signer(images.publisher.feed).public_key, hosted=True)


def test_a_key_for_one_list_is_refused_for_another(images: b.Feed) -> None:
    other = b.feed(images.publisher, slug="other")
    with pytest.raises(errors.MalformedMetadata, match="none that the hub keeps"):
        give(other, public(offer(images)), hosted=True)


def test_another_hotline_gets_no_key(images: b.Feed) -> None:
    borealis = b.publisher("Borealis", "borealis.example")
    with pytest.raises(errors.NotEntitled):
        offer_hosted_key(caller=borealis.caller, domain="aurora.example", slug="images", now=b.now())
    with pytest.raises(errors.NotEntitled):
        renewed_feed(caller=borealis.caller, domain="aurora.example", slug="images", keyid="0" * 64, now=b.now())


def test_a_served_list_changes_hands_with_its_feed_signed_anew(images: b.Feed) -> None:
    images.publish(images.first([b.entry()]))
    row = offer(images)
    where: dict[str, Any] = {"domain": images.publisher.domain, "slug": images.row.slug, "now": b.now()}
    feed = renewed_feed(caller=images.publisher.caller, keyid=row.keyid, **where)
    job = give(images, public(row), hosted=True, feeds={images.list_id: feed})
    assert job.state == Job.State.DONE, job.problem
    images.row.refresh_from_db()
    assert (images.row.hosted, images.row.version, images.row.role_version) == (True, 1, 2)


def test_a_key_that_is_replaced_or_taken_home_is_out_with_its_request_key(images: b.Feed) -> None:
    first = offer(images)
    give(images, public(first), hosted=True)
    second = offer(images)
    assert second.number == 2
    give(images, public(second), hosted=True)
    first.refresh_from_db()
    assert first.retired_at is not None
    assert first.hand is not None
    assert first.hand.revoked_at is not None
    with pytest.raises(errors.MalformedMetadata):
        give(images, public(first), hosted=True)
    give(images, keys.tuf_signer(images.publisher.feed).public_key, hosted=False)
    images.row.refresh_from_db()
    assert not images.row.hosted
    assert not OrganisationKey.objects.filter(name__startswith="This hub", revoked_at=None).exists()


def test_no_private_key_stands_in_the_database_and_the_secret_is_one_private_file(images: b.Feed) -> None:
    row = offer(images)
    path = Path(hub_settings.HASHSHARE_KEYS) / hosted_keys.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    raw = private_key(row).private_bytes_raw()
    assert raw.hex() not in str(HostedKey.objects.values())
    assert raw not in path.read_bytes()


def test_rows_that_were_lost_are_found_again(images: b.Feed) -> None:
    row = offer(images)
    give(images, public(row), hosted=True)
    HostedKey.objects.all().delete()
    renewed = repository.renew_targets(
        images.publisher.targets, signers=[keys.tuf_signer(images.publisher.officer)], now=b.now()
    )
    version = read_role("targets", images.publisher.targets).version
    assert images.publisher.commit({"targets": renewed}, if_match=version).state == Job.State.DONE
    images.row.refresh_from_db()
    assert key_in_use(images.row).keyid == row.keyid


def test_a_secret_that_was_replaced_signs_nothing(images: b.Feed, settings: Any, tmp_path: Path) -> None:
    row = offer(images)
    give(images, public(row), hosted=True)
    settings.HASHSHARE_KEYS = str(tmp_path)  # where another is made on first use
    images.row.refresh_from_db()
    with pytest.raises(errors.HostedKeyLost):
        private_key(key_in_use(images.row))
    assert offer(images).number == 2
