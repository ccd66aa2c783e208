"""Enrolment: an invitation code and a key that signs its own introduction."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.models import Organisation, OrganisationKey
from hashshare.services.invitations import invite_organisation
from hashshare.services.keys import revoke_key
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import keys
from hashshare.wire.signatures import sign_request
from tests.api.parties import API, CLIENT, Party, refused, replay
from tests.api.publishing import Hotline

pytestmark = pytest.mark.django_db


@pytest.fixture
def code(db: None) -> str:
    _, code = invite_organisation(kind="member", name="Cobalt", country="NL", now=datetime.now(UTC))
    return code


def enrol(
    invitation: str, key: Ed25519PrivateKey, *, signer: Ed25519PrivateKey | None = None, keyid: str = "", **changes: Any
) -> Any:
    public = base64.b64encode(keys.public_bytes(key)).decode()
    body = {"code": invitation, "public_key": public, "key_name": "sync-01"} | changes
    prepared = requests.Request("POST", f"{API}enrolments", json=body).prepare()
    sign_request(prepared, key=signer or key, keyid=keyid, now=datetime.now(UTC))
    return replay(CLIENT, prepared)


def test_it_makes_the_key_known(code: str, images: Hotline) -> None:
    key = keys.generate()
    answer = enrol(code, key)
    assert answer.status_code == 201
    told = answer.json()
    assert told["organisation"] == {"slug": "cobalt", "name": "Cobalt", "kind": "member", "country": "NL"}
    assert told["key"]["id"] == keys.fingerprint_of(key)
    assert datetime.fromisoformat(told["key"]["not_after"]) > datetime.now(UTC) + timedelta(days=729)
    assert told["hub"]["url"] == "http://127.0.0.1:8000"
    assert len(told["hub"]["keys"]) == 2
    [publisher] = told["publishers"]
    assert publisher["domain"] == "aurora.example"
    assert keys_digest(publisher["root"]) == publisher["fingerprint"]
    member = Party(Organisation.objects.get(slug="cobalt"), key)
    assert member.get("status").json()["keys"][0]["name"] == "sync-01"


def keys_digest(root: str) -> str:
    return hashlib.sha256(base64.b64decode(root)).hexdigest()


def test_it_answers_a_repetition_the_same(code: str) -> None:
    key = keys.generate()
    first, again = enrol(code, key), enrol(code, key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["key"] == again.json()["key"]
    assert OrganisationKey.objects.count() == 1


def test_it_rejects_another_key_with_a_used_code(code: str) -> None:
    assert enrol(code, keys.generate()).status_code == 201
    used = refused(enrol(code, keys.generate()), 403, "invitation-invalid")
    assert used == refused(enrol("AAAA-AAAA-AAAA", keys.generate()), 403, "invitation-invalid")


def test_it_rejects_a_code_out_of_date(code: str) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=15)):
        refused(enrol(code, keys.generate()), 403, "invitation-invalid")


def test_it_rejects_a_suspended_organisation(code: str) -> None:
    suspend_organisation(organisation=Organisation.objects.get(slug="cobalt"))
    refused(enrol(code, keys.generate()), 403, "invitation-invalid")


def test_it_does_not_bring_a_revoked_key_back(code: str) -> None:
    key = keys.generate()
    enrol(code, key)
    organisation = Organisation.objects.get(slug="cobalt")
    revoke_key(organisation=organisation, fingerprint=keys.fingerprint_of(key), now=datetime.now(UTC))
    refused(enrol(code, key), 403, "invitation-invalid")


def test_it_rejects_a_key_that_somebody_else_holds(code: str) -> None:
    victim, thief = keys.generate(), keys.generate()
    refused(enrol(code, victim, signer=thief), 401, "bad-request-signature")
    refused(enrol(code, victim, signer=thief, keyid=keys.fingerprint_of(victim)), 401, "bad-request-signature")
    refused(enrol(code, victim, keyid=keys.fingerprint_of(thief)), 401, "bad-request-signature")
    assert not OrganisationKey.objects.exists()


def test_it_rejects_a_request_without_a_signature(code: str) -> None:
    public = base64.b64encode(keys.public_bytes(keys.generate())).decode()
    prepared = requests.Request("POST", f"{API}enrolments", json={"code": code, "public_key": public}).prepare()
    refused(replay(CLIENT, prepared), 401, "not-authenticated")


def test_it_rejects_a_body_that_was_changed(code: str) -> None:
    key = keys.generate()
    body = {"code": code, "public_key": base64.b64encode(keys.public_bytes(key)).decode(), "key_name": "a"}
    prepared = requests.Request("POST", f"{API}enrolments", json=body).prepare()
    sign_request(prepared, key=key, now=datetime.now(UTC))
    assert isinstance(prepared.body, bytes)
    prepared.body = prepared.body.replace(b'"a"', b'"b"')
    refused(replay(CLIENT, prepared), 401, "bad-request-signature")


@pytest.mark.parametrize(
    "changes",
    [
        {"public_key": "x"},
        {"public_key": "AAAA"},
        {"public_key": None},
        {"public_key": 7},
        {"code": ""},
        {"code": ["a"]},
        {"key_name": "x" * 201},
    ],
)
def test_it_names_what_is_wrong(code: str, changes: dict[str, Any]) -> None:
    refused(enrol(code, keys.generate(), **changes), 400, "invalid-request")


def test_it_rejects_a_key_under_which_one_signature_fits_many_messages(code: str) -> None:
    weak = base64.b64encode(bytes(32)).decode()
    refused(enrol(code, keys.generate(), public_key=weak), 401, "bad-request-signature")


def test_a_hotline_learns_only_of_publishers_it_may_know(aurora: Party, borealis: Party, code: str) -> None:
    """Before a root is accepted there is nothing to learn."""
    assert enrol(code, keys.generate()).json()["publishers"] == []
