"""A statement counts when it is the member's own, about what was really published; repeating it adds nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from hashshare.models import Acknowledgement, Leaf, OrganisationKey
from hashshare.services.acknowledgements import acknowledge
from hashshare.services.keys import add_key, revoke_key
from hashshare.services.logs import hidden_leaf
from hashshare.services.subscriptions import decide_subscription, request_subscription
from hashshare.wire import errors, keys
from hashshare.wire.log import AcknowledgementRow, DeliveryRow, Opening, entry_of, read_row, sign_acknowledgement
from tests import builders as b
from tests import logs
from tests.builders import now
from tests.services.statements import HUB, deliver, digests, state, statement

pytestmark = pytest.mark.django_db
Told = tuple[Acknowledgement, bool]


@pytest.fixture
def images(db: None) -> b.Feed:
    """Versions 1 and 2."""
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    return feed


@pytest.fixture
def cobalt(images: b.Feed) -> b.Party:
    party = b.member()
    b.subscribed(party, images)
    return party


def refused(kind: type[errors.HashshareError], work: Callable[[], Told]) -> errors.HashshareError:
    """And nothing is kept."""
    before = Acknowledgement.objects.count(), Leaf.objects.count()
    with pytest.raises(kind) as caught:
        work()
    assert type(caught.value) is kind, caught.value
    assert (Acknowledgement.objects.count(), Leaf.objects.count()) == before
    return caught.value


def test_it_keeps_the_statement_as_it_was_signed_and_logs_it(images: b.Feed, cobalt: b.Party) -> None:
    said = statement(cobalt, images, 2, purged=1)
    document = sign_acknowledgement(said, key=cobalt.key)
    row, new = acknowledge(caller=cobalt.caller, document=document, now=now())
    assert new
    assert (row.version, row.purged, row.key) == (2, 1, keys.fingerprint_of(cobalt.key))
    assert row.statement.encode() == document
    leaf = row.leaf
    assert (leaf.kind, leaf.organisation, leaf.list) == ("acknowledgement", cobalt.organisation, images.row)
    assert leaf.log.publisher == images.row.publisher
    assert leaf.row is not None
    assert bytes(leaf.entry or b"") == entry_of(Opening(bytes(leaf.nonce or b""), leaf.row))
    told = read_row(leaf.row)
    assert isinstance(told, AcknowledgementRow)
    assert told.statement_sha256 == hashlib.sha256(document).hexdigest()
    assert (told.organisation, told.version, told.purged, told.key) == ("cobalt", 2, 1, row.key)


def test_repeating_it_changes_nothing(images: b.Feed, cobalt: b.Party) -> None:
    document = sign_acknowledgement(statement(cobalt, images, at=now() - timedelta(hours=1)), key=cobalt.key)
    first, new = acknowledge(caller=cobalt.caller, document=document, now=now())
    again, anew = acknowledge(caller=cobalt.caller, document=document, now=now())
    assert (new, anew, again) == (True, False, first)
    signed_later, anew = state(cobalt, images)
    assert (anew, signed_later) == (False, first)
    again.refresh_from_db()
    assert again.statement.encode() == document
    assert Leaf.objects.filter(kind="acknowledgement").count() == 1


def test_an_old_one_that_is_replayed_changes_nothing(images: b.Feed, cobalt: b.Party) -> None:
    first, _ = state(cobalt, images, 1)
    state(cobalt, images, 2)
    replayed, new = acknowledge(caller=cobalt.caller, document=first.statement.encode(), now=now())
    assert (replayed, new) == (first, False)
    assert Acknowledgement.objects.count() == 2


def test_a_new_statement_of_an_older_version_is_a_conflict(images: b.Feed, cobalt: b.Party) -> None:
    state(cobalt, images, 2)
    error = refused(errors.Conflict, lambda: state(cobalt, images, 1))
    assert error.facts == {"acknowledged": 2}


def test_the_same_version_may_be_purged_further_and_less_far_again(images: b.Feed, cobalt: b.Party) -> None:
    """Less far: a client that lost its folder downloads the base, withdrawn rows and all."""
    for purged in (0, 2, 1):
        assert state(cobalt, images, 2, purged=purged)[1]
    assert Acknowledgement.objects.count() == 3


def test_a_version_that_was_never_published_is_refused(images: b.Feed, cobalt: b.Party) -> None:
    for changes in ({"version": 3}, {"version": 1, "manifest_sha256": digests(images)[2]}):
        refused(errors.UnknownRelease, lambda changes=changes: state(cobalt, images, **changes))  # type: ignore[misc]


def test_a_release_that_was_rejected_counts_as_never_published(images: b.Feed, cobalt: b.Party) -> None:
    images.release(images.next([b.upsert(b.entry())], growth=9))
    rejected = images.row.releases.get(state="rejected")
    refused(errors.UnknownRelease, lambda: state(cobalt, images, 3, manifest_sha256=rejected.manifest_digest))


def test_another_organisations_statement_is_refused(images: b.Feed, cobalt: b.Party) -> None:
    granite = b.member("Granite")
    b.subscribed(granite, images)
    document = sign_acknowledgement(statement(cobalt, images), key=cobalt.key)
    refused(errors.BadSignature, lambda: acknowledge(caller=granite.caller, document=document, now=now()))
    # Signed by Granite's own key, in Cobalt's name.
    refused(errors.MalformedAcknowledgement, lambda: state(granite, images, organisation="cobalt"))
    assert state(granite, images)[1]


def test_a_statement_for_another_hub_is_refused(images: b.Feed, cobalt: b.Party) -> None:
    refused(errors.MalformedAcknowledgement, lambda: state(cobalt, images, hub="https://south.example"))
    assert state(cobalt, images, hub=f"{HUB}/")[1]


@pytest.mark.parametrize("change", [{"revoked_at": True}, {"not_after": True}])
def test_a_key_that_is_not_in_force_cannot_sign(images: b.Feed, cobalt: b.Party, change: dict[str, bool]) -> None:
    second, ended = keys.generate(), dict.fromkeys(change, now() - timedelta(seconds=1))
    add_key(organisation=cobalt.organisation, public_key=keys.public_bytes(second), name="b", now=now())
    OrganisationKey.objects.filter(fingerprint=keys.fingerprint_of(second)).update(**ended)
    refused(errors.BadSignature, lambda: state(cobalt, images, key=second))
    refused(errors.BadSignature, lambda: state(cobalt, images, key=keys.generate()))
    OrganisationKey.objects.filter(fingerprint=keys.fingerprint_of(second)).update(revoked_at=None, not_after=None)
    assert state(cobalt, images, key=second)[0].key == keys.fingerprint_of(second)


def test_a_key_whose_window_is_still_to_begin_cannot_sign(images: b.Feed, cobalt: b.Party) -> None:
    later = keys.generate()
    raw, begins = keys.public_bytes(later), now() + timedelta(minutes=1)
    add_key(organisation=cobalt.organisation, public_key=raw, name="b", now=now(), not_before=begins)
    refused(errors.BadSignature, lambda: state(cobalt, images, key=later))


def test_a_statement_that_was_taken_stands_when_its_key_is_revoked(images: b.Feed, cobalt: b.Party) -> None:
    """A statement of that key's that comes later is refused, whatever time it gives for itself."""
    second = keys.generate()
    add_key(organisation=cobalt.organisation, public_key=keys.public_bytes(second), name="b", now=now())
    document = sign_acknowledgement(statement(cobalt, images), key=second)
    taken, _ = acknowledge(caller=cobalt.caller, document=document, now=now())
    revoke_key(organisation=cobalt.organisation, fingerprint=keys.fingerprint_of(second), now=now())
    refused(errors.BadSignature, lambda: acknowledge(caller=cobalt.caller, document=document, now=now()))
    taken.refresh_from_db()
    assert taken.key == keys.fingerprint_of(second)


def test_a_list_that_one_was_never_entitled_to_is_as_one_that_never_was(images: b.Feed) -> None:
    granite = b.member("Granite")
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": now()}
    messages = [refused(errors.NotEntitled, lambda: state(granite, images)).message]
    request_subscription(caller=granite.caller, terms_digest=images.row.terms_digest, **names)
    messages.append(refused(errors.NotEntitled, lambda: state(granite, images)).message)
    decide_subscription(caller=images.publisher.caller, organisation="granite", decision="deny", **names)
    messages.append(refused(errors.NotEntitled, lambda: state(granite, images)).message)
    messages.append(refused(errors.NotEntitled, lambda: state(granite, images, list_id="f" * 16)).message)
    messages.append(refused(errors.NotEntitled, lambda: state(granite, images, list_name="a.example/b")).message)
    assert len(set(messages)) == 1


def test_access_that_has_ended_may_still_be_acknowledged(images: b.Feed, cobalt: b.Party) -> None:
    """What it holds it still holds, and its hotline wants to know."""
    names: dict[str, Any] = {"domain": "aurora.example", "slug": "images", "now": now()}
    decide_subscription(caller=images.publisher.caller, organisation="cobalt", decision="revoke", **names)
    assert state(cobalt, images, 2)[1]


def test_the_hotline_may_acknowledge_its_own_list(images: b.Feed) -> None:
    assert state(images.publisher.party, images, 2)[1]


def test_a_delivery_says_what_was_acknowledged_by_then(images: b.Feed, cobalt: b.Party) -> None:
    assert deliver(cobalt, images, 1).acknowledged is None
    state(cobalt, images, 1)
    delivery = deliver(cobalt, images, 2)
    assert delivery.acknowledged == 1
    leaf = delivery.leaf
    assert (leaf.organisation, leaf.list, leaf.kind) == (cobalt.organisation, images.row, "delivery")
    told = read_row(leaf.row or "")
    assert isinstance(told, DeliveryRow)
    assert (told.organisation, told.list_name, told.list_id) == ("cobalt", "aurora.example/images", images.list_id)
    assert (told.version, told.acknowledged, told.manifest_sha256) == (2, 1, digests(images)[2])
    assert (told.key, told.bytes) == (keys.fingerprint_of(cobalt.key), delivery.bytes)


@pytest.mark.django_db(transaction=True)
def test_the_same_statement_sent_twice_at_once_is_kept_once() -> None:
    images = b.feed(b.publisher())
    images.publish(images.first([b.entry()]))
    cobalt = b.member()
    b.subscribed(cobalt, images)
    told, start = list[bool | Exception](), threading.Barrier(4)
    document = sign_acknowledgement(statement(cobalt, images), key=cobalt.key)

    def send() -> None:
        start.wait()
        try:
            told.append(acknowledge(caller=cobalt.caller, document=document, now=now())[1])
        except Exception as error:
            told.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, told)) == ["False", "False", "False", "True"]
    assert Leaf.objects.filter(kind="acknowledgement").count() == 1


def test_the_leaf_of_a_statement_says_nothing_without_its_opening(images: b.Feed, cobalt: b.Party) -> None:
    """The same row twice gives entries that have nothing in common but their first line."""
    row = logs.row(1)
    leaves = [hidden_leaf(1, row, datetime.now(tz=now().tzinfo)) for _ in range(2)]
    entries = [bytes(leaf.entry or b"") for leaf in leaves]
    assert entries[0] != entries[1]
    assert all(entry.startswith(b"hashshare-delivery/1\n") and len(entry) == 53 for entry in entries)
