"""A publisher that lost its root begins anew under its own name: by an operator's leave alone, with all its lists."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from hashshare.hub_keys import hub_keys
from hashshare.models import Beginning, FormerMetadata, HashList, Job, Metadata, Publisher, Subscription
from hashshare.selectors.logs import publication_log
from hashshare.selectors.publishers import publisher as publisher_root
from hashshare.services.beginnings import ALLOWED_FOR, allow_beginning, withdraw_beginning
from hashshare.services.logs import begin_logs
from hashshare.services.sealing import seal_logs
from hashshare.wire import errors, keys, repository
from hashshare.wire.log import RootReplaced, publication_entry
from tests import builders as b
from tests import logs

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry(), b.entry()]))
    return feed


def fingerprint() -> str:
    return Publisher.objects.get().root_fingerprint


def allowed() -> Beginning:
    return allow_beginning(
        domain="aurora.example", root_now=fingerprint(), by="ada@north.example", reason="they telephoned", now=b.now()
    )


def anew(feed: b.Feed, *, lists: bool = True) -> dict[str, bytes]:
    """Root and targets of new officers; the lists stay with the feed key that they have."""
    owner = feed.publisher
    owner.officer = keys.generate()
    officer = keys.tuf_signer(owner.officer)
    own = [officer.public_key]
    owner.root = repository.create_root(
        root_keys=own, targets_keys=own, hub_keys=hub_keys().both, signers=[officer], now=b.now()
    )
    owner.targets = repository.create_targets(signers=[], now=b.now())
    given = {feed.list_id: [keys.tuf_signer(owner.feed).public_key]} if lists else {}
    owner.targets = repository.delegate_lists(owner.targets, keys=given, signers=[officer], now=b.now(), amend=True)
    return {"root": owner.root, "targets": owner.targets}


def accepted(feed: b.Feed, roles: Mapping[str, bytes], *, if_match: int = 0) -> Job:
    job = feed.publisher.commit(roles, if_match=if_match)
    assert job.state == Job.State.DONE, job.problem
    return job


# --- what is refused ---------------------------------------------------------------------------------------------


def test_without_leave_another_first_root_is_refused(images: b.Feed) -> None:
    with pytest.raises(errors.VersionConflict):
        images.publisher.submit(anew(images), if_match=0)


def test_leave_that_ended_or_was_withdrawn_is_none(images: b.Feed) -> None:
    allowed()
    Beginning.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(errors.VersionConflict):
        images.publisher.submit(anew(images), if_match=0)
    allowed()
    withdraw_beginning(domain="aurora.example", now=b.now())
    with pytest.raises(errors.VersionConflict):
        images.publisher.submit(anew(images), if_match=0)
    with pytest.raises(errors.UsageError):
        withdraw_beginning(domain="aurora.example", now=b.now())


def test_leave_is_good_once(images: b.Feed) -> None:
    allowed()
    accepted(images, anew(images))
    with pytest.raises(errors.VersionConflict):
        images.publisher.submit(anew(images), if_match=0)


def test_leave_is_withdrawn_between_commit_and_worker(images: b.Feed) -> None:
    """The worker judges again, so what is not yet accepted is not."""
    allowed()
    before = fingerprint()
    job = images.publisher.submit(anew(images), if_match=0)
    withdraw_beginning(domain="aurora.example", now=b.now())
    assert b.worked(job).state == Job.State.FAILED
    assert fingerprint() == before


def test_another_hotline_cannot_use_the_leave(images: b.Feed) -> None:
    allowed()
    roles = anew(images)
    mallory = b.Publisher(b.party("hotline", "Borealis"), "aurora.example")
    with pytest.raises(errors.NotEntitled):
        mallory.submit(roles, if_match=0)


def test_a_published_list_cannot_be_left_behind(images: b.Feed) -> None:
    allowed()
    with pytest.raises(errors.MalformedMetadata, match="lost its role"):
        images.publisher.submit(anew(images, lists=False), if_match=0)


def test_a_feed_whose_key_is_no_longer_named_must_come_signed_anew(images: b.Feed) -> None:
    allowed()
    images.publisher.feed = keys.generate()
    roles = anew(images)
    with pytest.raises(errors.BadSignature):
        images.publisher.submit(roles, if_match=0)
    assert images.manifest is not None
    roles |= images.signed(images.manifest)
    accepted(images, roles, if_match=1)
    images.row.refresh_from_db()
    assert (images.row.version, images.row.role_version) == (1, 2)


def test_majors_and_releases_do_not_come_with_it(images: b.Feed) -> None:
    allowed()
    roles = anew(images)
    with pytest.raises(errors.MalformedMetadata):
        images.publisher.submit(roles | {"major": images.publisher.sign_major()}, if_match=0)
    release = images.signed(images.next([b.upsert(b.entry())]))
    with pytest.raises(errors.MalformedMetadata):
        images.publisher.submit(roles | release, if_match=1)


@pytest.mark.parametrize("wrong", ["0" * 64, "not a fingerprint"])
def test_a_slip_names_no_other_root(images: b.Feed, wrong: str) -> None:
    with pytest.raises(errors.UsageError):
        allow_beginning(domain="aurora.example", root_now=wrong, by="ada", reason="asked", now=b.now())
    assert not Beginning.objects.exists()


def test_it_wants_a_publisher_with_a_root_and_a_reason(images: b.Feed) -> None:
    with pytest.raises(errors.NotFound):
        allow_beginning(domain="nobody.example", root_now="0" * 64, by="ada", reason="asked", now=b.now())
    with pytest.raises(errors.UsageError):
        allow_beginning(domain="aurora.example", root_now=fingerprint(), by="ada", reason=" ", now=b.now())


def test_not_while_a_restored_hub_awaits_the_publisher(images: b.Feed) -> None:
    Publisher.objects.update(awaited_since=b.now())
    with pytest.raises(errors.Conflict):
        allowed()


# --- what becomes of everything ----------------------------------------------------------------------------------


def test_until_the_commit_nothing_changes(images: b.Feed) -> None:
    before = list(Metadata.objects.order_by("pk").values_list("role", "version", "sha256"))
    allowed()
    assert list(Metadata.objects.order_by("pk").values_list("role", "version", "sha256")) == before
    images.publish(images.next([b.upsert(b.entry())]))


def test_lists_go_on_with_their_ids_versions_and_subscriptions(images: b.Feed) -> None:
    subscription = b.subscribed(b.member(), images)
    images.publish(images.next([b.upsert(b.entry())]))
    before = HashList.objects.values().get()
    allowed()
    accepted(images, anew(images))
    assert HashList.objects.values().get() == before
    assert Subscription.objects.get() == subscription
    images.publish(images.next([b.upsert(b.entry())]))
    assert (images.row.version, images.row.role_version) == (3, 3)


def test_the_new_root_stands_and_snapshots_go_on_above_those_that_members_saw(images: b.Feed) -> None:
    seen = {row.role: row.version for row in Metadata.objects.filter(role__in=["snapshot", "timestamp"])}
    allowed()
    accepted(images, anew(images))
    owner = images.publisher
    assert fingerprint() == hashlib.sha256(owner.root).hexdigest()
    standing = {row.role: row for row in Metadata.objects.order_by("version")}
    assert (standing["root"].content, standing["targets"].content) == (owner.root, owner.targets)
    assert all(standing[role].version > version for role, version in seen.items())
    assert Metadata.objects.filter(role__in=["root", "targets"]).count() == 2


def test_what_the_old_officers_signed_is_kept_aside_and_signs_no_more(images: b.Feed) -> None:
    root, targets, old = images.publisher.root, images.publisher.targets, images.publisher.officer
    allowed()
    accepted(images, anew(images))
    kept = {(row.role, row.version): bytes(row.body) for row in FormerMetadata.objects.all()}
    assert (kept["root", 1], kept["targets", 2]) == (root, targets)
    signer = keys.tuf_signer(old)
    with pytest.raises(errors.BadSignature):
        images.publisher.submit(
            {"root": repository.next_root(images.publisher.root, signers=[signer], now=b.now())}, if_match=1
        )
    with pytest.raises(errors.VersionConflict):
        images.publisher.submit({"root": root, "targets": targets}, if_match=0)


def test_the_public_log_tells_of_it_before_the_new_root(images: b.Feed) -> None:
    before = fingerprint()
    allowed()
    accepted(images, anew(images))
    begin_logs(now=b.now())
    seal_logs(now=b.now())
    log = publication_log()
    assert log is not None
    entries = logs.entries(log)
    [told] = [found for entry in entries if (found := RootReplaced.read(entry))]
    assert (told.publisher, told.before, told.after) == ("aurora.example", before, fingerprint())
    new = publication_entry(images.publisher.root)
    assert entries.index(told.to_entry()) < entries.index(new)
    row = Beginning.objects.get()
    assert (row.before, row.after, row.begun_at is not None) == (before, fingerprint(), True)


def test_its_own_hotline_learns_until_when_it_may(images: b.Feed) -> None:
    member = b.member()
    b.subscribed(member, images)
    caller = images.publisher.caller
    assert publisher_root(caller=caller, domain="aurora.example", now=b.now()).anew_until is None
    done = allowed()
    assert publisher_root(caller=caller, domain="aurora.example", now=b.now()).anew_until == done.ends_at
    assert publisher_root(caller=member.caller, domain="aurora.example", now=b.now()).anew_until is None


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_opens_the_door_and_closes_it(images: b.Feed) -> None:
    said = io.StringIO()
    call_command("begin_anew", "aurora.example", root_now=fingerprint(), reason="they telephoned", stdout=said)
    row = Beginning.objects.get()
    assert (row.reason, row.ends_at - row.allowed_at) == ("they telephoned", ALLOWED_FOR)
    assert "hashshare publisher init aurora.example --anew" in said.getvalue()
    call_command("begin_anew", "aurora.example", withdraw=True, stdout=io.StringIO())
    row.refresh_from_db()
    assert row.withdrawn_at is not None


def test_the_command_wants_the_root_and_a_reason(images: b.Feed) -> None:
    for options in ({}, {"root_now": fingerprint()}, {"root_now": "0" * 64, "reason": "asked"}):
        with pytest.raises(CommandError):
            call_command("begin_anew", "aurora.example", **options)
    assert not Beginning.objects.exists()
