"""The first door: RFC 9421 signatures, and every way of getting one wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.utils import timezone

from hashshare.models import OrganisationKey
from hashshare.services.keys import revoke_key
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import keys
from hashshare.wire.signatures import sign_request
from tests.api.parties import CLIENT, HUB, Party, refused, replay

pytestmark = pytest.mark.django_db


def test_it_lets_the_signer_in(cobalt: Party) -> None:
    answer = cobalt.signed("GET", "status")
    assert answer.status_code == 200
    assert answer.json()["caller"] == {"via": "signature", "key": cobalt.fingerprint}


def test_it_notes_when_the_key_signed_and_how_wrong_its_clock_is(cobalt: Party) -> None:
    assert cobalt.signed("GET", "status", now=datetime.now(UTC) - timedelta(seconds=120)).status_code == 200
    row = OrganisationKey.objects.get(fingerprint=cobalt.fingerprint)
    assert row.last_seen_at is not None
    assert row.clock_skew_seconds in range(118, 123)
    assert cobalt.get("status").json()["clock_skew_seconds"] == row.clock_skew_seconds


def test_it_covers_the_query(cobalt: Party) -> None:
    assert cobalt.signed("GET", "lists?q=a+b%2Fc&x=%C3%A9").status_code == 200
    prepared = cobalt.prepare("GET", "lists?q=a")
    prepared.url = f"{prepared.url}b"
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


def test_it_rejects_a_second_copy(cobalt: Party) -> None:
    prepared = cobalt.prepare("POST", "tokens")
    assert replay(cobalt.client, prepared).status_code == 201
    refused(replay(cobalt.client, prepared), 401, "replayed-request")


def test_it_counts_nonces_per_key(cobalt: Party, aurora: Party) -> None:
    nonce = "n" * 22
    assert cobalt.signed("GET", "status", nonce=nonce).status_code == 200
    assert aurora.signed("GET", "status", nonce=nonce).status_code == 200
    refused(cobalt.signed("GET", "heads", nonce=nonce), 401, "replayed-request")


def test_a_refused_signature_does_not_use_up_the_nonce_of_the_real_one(cobalt: Party) -> None:
    prepared = cobalt.prepare("POST", "access-keys", json={"name": "curl", "days": 1})
    spoilt = prepared.copy()
    spoilt.body = b'{"name": "curl", "days": 9}'
    refused(replay(cobalt.client, spoilt), 401, "bad-request-signature")
    assert replay(cobalt.client, prepared).status_code == 201


@pytest.mark.parametrize("seconds", [-310, 310, -86_400])
def test_it_rejects_a_clock_that_is_wrong(cobalt: Party, seconds: int) -> None:
    problem = refused(
        cobalt.signed("GET", "status", now=datetime.now(UTC) + timedelta(seconds=seconds)), 401, "stale-signature"
    )
    assert "clock" in problem["next_step"]


def test_it_rejects_a_body_that_was_changed(cobalt: Party) -> None:
    prepared = cobalt.prepare("POST", "access-keys", json={"name": "curl", "days": 1})
    prepared.body = b'{"name": "curl", "days": 366}'
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


def test_it_rejects_a_body_added_to_a_request_without_one(cobalt: Party) -> None:
    prepared = cobalt.prepare("GET", "status")
    prepared.body = b"{}"
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


def test_it_rejects_another_method(cobalt: Party) -> None:
    prepared = cobalt.prepare("GET", "access-keys")
    prepared.method = "POST"
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


def test_it_rejects_what_was_signed_for_another_hub(cobalt: Party) -> None:
    prepared = requests.Request("POST", "https://hub-north.example/api/v1/tokens").prepare()
    sign_request(prepared, key=cobalt.key, now=datetime.now(UTC))
    prepared.url = f"{HUB}/api/v1/tokens"
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


def test_it_goes_by_the_public_address_whatever_host_the_proxy_sends(cobalt: Party) -> None:
    headers = {name: str(value) for name, value in cobalt.prepare("GET", "status").headers.items()}
    answer = CLIENT.get("/api/v1/status", headers=headers, SERVER_NAME="localhost", SERVER_PORT="9999")
    assert answer.status_code == 200


def test_it_goes_by_the_address_as_it_was_sent(cobalt: Party) -> None:
    """gunicorn hands over the raw address; rebuilding it would turn %7E into ~ and break the signature."""
    prepared = cobalt.prepare("GET", "lists")
    raw = "/api/v1/lists?q=%7E"
    prepared = cobalt.prepare("GET", raw)
    prepared.url = f"{HUB}{raw}"
    sign_request(prepared, key=cobalt.key, now=datetime.now(UTC))
    headers = {name: str(value) for name, value in prepared.headers.items()}
    answer = cobalt.client.get("/api/v1/lists?q=~", headers=headers, RAW_URI=raw, SERVER_NAME="127.0.0.1")
    assert answer.status_code == 200


def strangers_problem(party: Party) -> dict[str, object]:
    """What somebody with a key that was never enrolled is told."""
    return refused(party.signed("GET", "status", key=keys.generate()), 401, "bad-request-signature")


def test_it_tells_a_revoked_key_what_it_tells_a_stranger(cobalt: Party) -> None:
    revoke_key(organisation=cobalt.organisation, fingerprint=cobalt.fingerprint, now=timezone.now())
    assert refused(cobalt.signed("GET", "status"), 401, "bad-request-signature") == strangers_problem(cobalt)


def test_it_tells_an_expired_key_what_it_tells_a_stranger(cobalt: Party) -> None:
    OrganisationKey.objects.update(not_after=timezone.now() - timedelta(seconds=1))
    assert refused(cobalt.signed("GET", "status"), 401, "bad-request-signature") == strangers_problem(cobalt)


def test_it_tells_a_suspended_organisation_what_it_tells_a_stranger(cobalt: Party) -> None:
    suspend_organisation(organisation=cobalt.organisation)
    assert refused(cobalt.signed("GET", "status"), 401, "bad-request-signature") == strangers_problem(cobalt)


def test_it_rejects_a_foreign_key_under_a_known_name(cobalt: Party, aurora: Party) -> None:
    prepared = requests.Request("GET", f"{HUB}/api/v1/status").prepare()
    sign_request(prepared, key=aurora.key, keyid=cobalt.fingerprint, now=datetime.now(UTC))
    refused(replay(cobalt.client, prepared), 401, "bad-request-signature")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Signature-Input", None),
        ("Signature", None),
        ("Signature", "sig1=:AAAA:"),
        ("Signature-Input", "!!"),
        ("Signature", "é"),
    ],
)
def test_it_rejects_torn_signatures(cobalt: Party, name: str, value: str | None) -> None:
    prepared = cobalt.prepare("GET", "status")
    if value is None:
        del prepared.headers[name]
    else:
        prepared.headers[name] = value
    response = replay(cobalt.client, prepared)
    assert response.status_code == 401
    assert "Signature" in response.headers["WWW-Authenticate"]


def test_it_reads_no_more_of_a_body_than_json_may_have(cobalt: Party) -> None:
    prepared = cobalt.prepare("POST", "access-keys", body=b" " * (1024 * 1024 + 1))
    refused(replay(cobalt.client, prepared), 413, "too-large")
