"""What analysts approved, as the hotline's machine fetches it, and the hub's keys as it asks for them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from hashshare.models import Draft
from hashshare.services.access_keys import create_access_key
from tests import builders as b
from tests.api.parties import CLIENT, Party, refused, with_authorization
from tests.services.drafting import again, analyst, approved, csv_of, entries, submitted

pytestmark = pytest.mark.django_db

DRAFTS = "lists/aurora.example/images/drafts"


@pytest.fixture
def images() -> b.Feed:
    return b.feed(b.publisher())


@pytest.fixture
def machine(images: b.Feed) -> Party:
    return Party(images.publisher.party.organisation, images.publisher.party.key)


@pytest.fixture
def body() -> bytes:
    return csv_of(entries(5))


@pytest.fixture
def draft(images: b.Feed, body: bytes) -> Draft:
    organisation = images.publisher.party.organisation
    return approved(analyst("ada", organisation), analyst("grace", organisation), images, body)


def test_the_machine_is_told_what_was_agreed_to(machine: Party, draft: Draft, body: bytes) -> None:
    (row,) = machine.get(DRAFTS).json()["drafts"]
    assert row["sha256"] == hashlib.sha256(body).hexdigest()
    assert (row["kind"], row["columns"]["sha256"], row["skip_bad"]) == ("whole", "sha256", False)
    assert row["submitted_by"] == "ada@aurora.example"
    answer = machine.get(f"{DRAFTS}/{draft.pk}/file")
    assert b"".join(answer.streaming_content) == body
    assert answer["Cache-Control"] == "private, no-store"


def test_what_is_not_approved_is_handed_to_nobody(machine: Party, images: b.Feed, body: bytes) -> None:
    waiting = submitted(analyst("ada", images.publisher.party.organisation), images, body)
    assert machine.get(DRAFTS).json()["drafts"] == []
    refused(machine.get(f"{DRAFTS}/{waiting.pk}/file"), 404, "not-found")


def test_a_key_for_reading_gets_no_upload(machine: Party, images: b.Feed, draft: Draft) -> None:
    _, secret = create_access_key(caller=images.publisher.caller, name="cron", days=9, now=b.now())
    for path in (DRAFTS, f"{DRAFTS}/{draft.pk}/file"):
        refused(with_authorization(CLIENT, "GET", path, f"Bearer {secret}"), 403, "not-allowed")


def test_another_hotline_gets_none(draft: Draft) -> None:
    other = b.publisher("Borealis", "borealis.example")
    borealis = Party(other.party.organisation, other.party.key)
    refused(borealis.get(DRAFTS), 403, "not-entitled")
    refused(borealis.get(f"{DRAFTS}/{draft.pk}/file"), 403, "not-entitled")


def test_the_outcome_is_recorded_once_and_the_file_goes(
    machine: Party, images: b.Feed, draft: Draft, django_capture_on_commit_callbacks: Any
) -> None:
    path = f"{DRAFTS}/{draft.pk}/outcome"
    refused(machine.signed("POST", path, json={"version": 1}), 404, "not-found")
    images.publish(images.first([b.entry()]))
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            answer = machine.signed("POST", path, json={"version": 1})
            assert (answer.status_code, answer.json()["state"]) == (200, "published")
    done = again(draft)
    assert done.release is not None
    assert (done.release.version, done.purged_at is not None) == (1, True)
    images.publish(images.next([b.upsert(b.entry())]))
    refused(machine.signed("POST", path, json={"version": 2}), 409, "conflict")


def test_a_hosted_key_is_offered_and_the_catalogue_says_who_is_hosted(machine: Party, images: b.Feed) -> None:
    first = machine.signed("POST", "lists/aurora.example/images/hosted-keys")
    again_ = machine.signed("POST", "lists/aurora.example/images/hosted-keys")
    assert (first.status_code, first.json()) == (201, again_.json())
    renewal = {"keyid": first.json()["keyid"]}
    refused(machine.signed("POST", "lists/aurora.example/images/hosted-feeds", json=renewal), 404, "not-found")
    assert machine.get("lists/aurora.example/images").json()["hosted"] is False
