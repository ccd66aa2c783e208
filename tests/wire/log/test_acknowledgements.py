"""Acknowledgements: signed by one key of the organisation, valid without the request, refused by name otherwise."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hashshare.wire import keys
from hashshare.wire.errors import BadSignature, MalformedAcknowledgement
from hashshare.wire.log import Acknowledgement, sign_acknowledgement, verify_acknowledgement

KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
PUBLIC = keys.public_bytes(KEY)
OTHER = keys.public_bytes(Ed25519PrivateKey.from_private_bytes(bytes([10]) * 32))
STATED = Acknowledgement(
    organisation="cobalt",
    hub="https://hub.example",
    list_name="aurora.example/images",
    list_id="3f9c0a51d2e4b786",
    version=6,
    purged=4,
    manifest_sha256="a1" * 32,
    at=datetime(2026, 11, 22, 12, tzinfo=UTC),
)


def test_it_says_what_was_signed_and_by_which_key() -> None:
    body = sign_acknowledgement(STATED, key=KEY)
    assert verify_acknowledgement(body, public_keys=[OTHER, PUBLIC]) == (STATED, keys.fingerprint(PUBLIC))


def test_it_is_a_dsse_document() -> None:
    """Checked here by the specification of DSSE alone: protocol.md, "Signature Definition"."""
    document = json.loads(sign_acknowledgement(STATED, key=KEY))
    kind, payload = document["payloadType"], base64.b64decode(document["payload"])
    (signature,) = document["signatures"]
    assert signature["keyid"] == keys.fingerprint(PUBLIC)
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(base64.b64decode(signature["sig"]), signed)
    assert json.loads(payload)["format"] == "hashshare-acknowledgement/1"


@pytest.mark.parametrize("public_keys", [[], [OTHER]])
def test_a_key_of_somebody_else_is_refused(public_keys: list[bytes]) -> None:
    with pytest.raises(BadSignature):
        verify_acknowledgement(sign_acknowledgement(STATED, key=KEY), public_keys=public_keys)


def test_a_changed_statement_is_refused() -> None:
    document = json.loads(sign_acknowledgement(STATED, key=KEY))
    for changed in (replace(STATED, version=7), replace(STATED, organisation="dorado")):
        body = json.dumps({**document, "payload": base64.b64encode(changed.to_bytes()).decode()}).encode()
        with pytest.raises(BadSignature):
            verify_acknowledgement(body, public_keys=[PUBLIC])


def test_a_signature_under_anothers_name_is_refused() -> None:
    document = json.loads(sign_acknowledgement(STATED, key=KEY))
    document["signatures"][0]["keyid"] = keys.fingerprint(OTHER)
    with pytest.raises(BadSignature):
        verify_acknowledgement(json.dumps(document).encode(), public_keys=[PUBLIC, OTHER])


def wrong_documents() -> dict[str, Any]:
    right = json.loads(sign_acknowledgement(STATED, key=KEY))
    (signature,) = right["signatures"]
    return {
        "no object": [],
        "no payload": {name: right[name] for name in ("payloadType", "signatures")},
        "another type": {**right, "payloadType": "application/vnd.in-toto+json"},
        "payload not base64": {**right, "payload": right["payload"] + "!"},
        "payload not canonical base64": {**right, "payload": right["payload"].rstrip("=") + "==="},
        "no signature": {**right, "signatures": []},
        "two signatures": {**right, "signatures": [signature, {**signature, "keyid": "other"}]},
        "signature no object": {**right, "signatures": ["x"]},
        "signature too short": {**right, "signatures": [{**signature, "sig": "AAAA"}]},
        "no key id": {**right, "signatures": [{"sig": signature["sig"]}]},
        "key id a number": {**right, "signatures": [{**signature, "keyid": 7}]},
        "too large": {**right, "more": "x" * 4_096},
    }


@pytest.mark.parametrize("what", wrong_documents())
def test_what_is_no_acknowledgement_is_refused(what: str) -> None:
    with pytest.raises(MalformedAcknowledgement):
        verify_acknowledgement(json.dumps(wrong_documents()[what]).encode(), public_keys=[PUBLIC])


def test_bytes_that_are_no_json_are_refused() -> None:
    right = sign_acknowledgement(STATED, key=KEY)
    for body in (b"", b"\xff", right[:-3], right + right, right.replace(b'"payload"', b'"payload":"","payload"')):
        with pytest.raises(MalformedAcknowledgement):
            verify_acknowledgement(body, public_keys=[PUBLIC])


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "hashshare-acknowledgement/2"},
        {"version": 0},
        {"version": -1},
        {"version": "6"},
        {"version": 6.0},
        {"version": True},
        {"version": 2**53},
        {"purged": 7},
        {"purged": -1},
        {"list": "images"},
        {"list_id": "3F9C0A51D2E4B786"},
        {"manifest_sha256": "a1"},
        {"at": "2026-11-22"},
        {"organisation": ""},
        {"organisation": "co\nbalt"},
        {"hub": "x" * 256},
    ],
)
def test_a_signed_statement_of_the_wrong_shape_is_refused(wrong: dict[str, Any]) -> None:
    payload = json.dumps({**json.loads(STATED.to_bytes()), **wrong}).encode()
    with pytest.raises(MalformedAcknowledgement):
        Acknowledgement.parse(payload)


def test_all_may_be_purged() -> None:
    said = replace(STATED, purged=6)
    assert Acknowledgement.parse(said.to_bytes()) == said


def test_fields_of_later_versions_are_passed_over() -> None:
    payload = json.dumps({**json.loads(STATED.to_bytes()), "later": {"x": 1}}).encode()
    assert Acknowledgement.parse(payload) == STATED
