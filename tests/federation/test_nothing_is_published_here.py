"""A mirrored publisher is only copied: whoever would publish, sign or host something of it here is refused by name."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from hashshare.models import Job, Metadata, Organisation, Person
from hashshare.selectors.callers import Caller
from hashshare.selectors.drafts import lists_to_draft_for
from hashshare.selectors.freshness import signatures
from hashshare.services import timestamps
from hashshare.services.beginnings import allow_beginning
from hashshare.services.commits import submit_commit
from hashshare.services.draft_work import tend_hosted_lists
from hashshare.services.hosting import offer_hosted_key, renewed_feed
from hashshare.services.lists import create_list
from hashshare.services.objects import check_upload_allowed, store_object
from hashshare.services.resumption import accept_as_newest, resume_publisher, standing
from hashshare.services.warnings import warn_expiring
from hashshare.wire import errors
from tests.builders import now
from tests.client.members.aurora import Aurora, items
from tests.federation.mirrored import Following, metadata_here, row_of


@pytest.fixture
def hotline(north: Following, aurora: Aurora) -> Caller:
    """Aurora herself, as she might come to this hub one day."""
    aurora.release(items(5))
    north.follow()
    organisation = row_of(aurora).publisher.organisation
    organisation.state = Organisation.State.ACTIVE
    organisation.save()
    return Caller(organisation, "signature", "key")


def test_nothing_can_be_committed_or_uploaded(hotline: Caller, aurora: Aurora) -> None:
    own: dict[str, Any] = {"caller": hotline, "domain": aurora.domain}
    upload: dict[str, Any] = {
        **own,
        "list_id": aurora.list_id,
        "digest": "0" * 64,
        "name": "manifest.json",
        "now": now(),
    }
    calls: list[Callable[[], object]] = [
        lambda: submit_commit(**own, roles={aurora.list_id: aurora.feed}, if_match=aurora.role_version, now=now()),
        lambda: submit_commit(**own, roles={"root": aurora.root}, if_match=1, now=now()),
        lambda: store_object(**upload, chunks=[b""]),
        lambda: check_upload_allowed(**upload, content_length=1),
        lambda: create_list(
            caller=hotline,
            publisher=aurora.domain,
            slug="videos",
            tuf_id=secrets.token_hex(8),
            title="Videos",
            algorithms=["sha256"],
            scheme="uk-abc",
            now=now(),
        ),
        lambda: offer_hosted_key(**own, slug="images", now=now()),
        lambda: renewed_feed(**own, slug="images", keyid="0", now=now()),
        lambda: resume_publisher(**own, roles={}, seen={}, now=now()),
        lambda: standing(**own),
        lambda: allow_beginning(
            domain=aurora.domain, root_now=aurora.fingerprint, by="op", reason="because", now=now()
        ),
    ]
    for call in calls:
        with pytest.raises(errors.Mirrored):
            call()
    assert not Job.objects.exclude(kind=Job.Kind.MIRROR).exists()


def test_nobody_uploads_files_for_it(hotline: Caller) -> None:
    analyst = Person(email="a@aurora.example", role=Person.Role.ANALYST, organisation=hotline.organisation)
    analyst.is_active = True
    assert lists_to_draft_for(person=analyst) == []


def test_its_snapshot_and_timestamp_are_never_signed_here(hotline: Caller, aurora: Aurora) -> None:
    before = metadata_here(aurora)
    much_later = now() + timedelta(hours=23)
    assert timestamps.refresh_timestamps(now=much_later) == 0
    assert timestamps.refresh_ending(now=much_later) == 0
    assert timestamps.refresh_all(now=much_later) == 0
    timestamps.refresh_publisher(row_of(aurora).publisher.pk, much_later)
    with pytest.raises(errors.Mirrored):
        timestamps.sign_snapshot_and_timestamp(publisher=row_of(aurora).publisher, now=much_later)
    assert tend_hosted_lists(now=much_later) == 0
    assert metadata_here(aurora) == before


def test_nobody_is_warned_of_what_another_hub_signs(hotline: Caller) -> None:
    Person.objects.create(email="op@hub.example", role=Person.Role.OPERATOR, is_active=True)
    assert signatures() == []
    warn_expiring(now=now() + timedelta(days=400))
    assert mail.outbox == []


def test_a_restored_hub_serves_it_again_once_it_was_copied(hotline: Caller, north: Following, aurora: Aurora) -> None:
    publisher = row_of(aurora).publisher
    publisher.awaited_since = now()
    publisher.save()
    with pytest.raises(errors.Mirrored):
        accept_as_newest(domain=aurora.domain, now=now())
    aurora.sign_again()
    north.follow()
    assert row_of(aurora).publisher.awaited_since is None


def test_it_grows_no_older(north: Following, aurora: Aurora) -> None:
    """What is served ends when its own hub said so, whatever is done here."""
    aurora.release(items(5))
    north.follow()
    row = Metadata.objects.get(publisher__domain=aurora.domain, role="timestamp")
    assert row.expires_at - now() <= timedelta(days=1)
    north.north.publishers.clear()
    timestamps.refresh_timestamps(now=now() + timedelta(hours=20))
    assert Metadata.objects.get(publisher__domain=aurora.domain, role="timestamp").content == row.content
