"""The second door: ten-minute tokens and access keys. Both only read."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from hashshare.services.keys import revoke_key
from hashshare.services.organisations import suspend_organisation
from tests.api.parties import CLIENT, Party, refused, with_authorization

pytestmark = pytest.mark.django_db


def access_key(party: Party, *, days: int = 30) -> dict[str, Any]:
    answer = party.signed("POST", "access-keys", json={"name": "curl", "days": days})
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def read(authorization: str) -> Any:
    return with_authorization(CLIENT, "GET", "status", authorization)


def test_a_token_reads_for_ten_minutes(cobalt: Party) -> None:
    start = datetime.now(UTC)
    issued = cobalt.signed("POST", "tokens")
    assert issued.status_code == 201
    assert issued.json()["expires_in"] == 600
    assert issued.headers["Cache-Control"] == "no-store"
    bearer = f"Bearer {issued.json()['token']}"
    assert read(bearer).json()["caller"] == {"via": "token", "key": cobalt.fingerprint}
    with time_machine.travel(start + timedelta(seconds=590)):
        assert read(bearer).status_code == 200
    with time_machine.travel(start + timedelta(seconds=610)):
        refused(read(bearer), 401, "not-authenticated")


def test_a_token_changes_nothing_and_begets_no_token(cobalt: Party) -> None:
    bearer = f"Bearer {cobalt.token()}"
    for method, path in [("POST", "tokens"), ("POST", "access-keys"), ("POST", "lists")]:
        refused(with_authorization(cobalt.client, method, path, bearer), 403, "not-allowed")


def test_a_token_dies_with_its_key_and_its_organisation(cobalt: Party, aurora: Party) -> None:
    mine, theirs = f"Bearer {cobalt.token()}", f"Bearer {aurora.token()}"
    revoke_key(organisation=cobalt.organisation, fingerprint=cobalt.fingerprint, now=timezone.now())
    suspend_organisation(organisation=aurora.organisation)
    refused(read(mine), 401, "not-authenticated")
    refused(read(theirs), 401, "not-authenticated")


def test_an_access_key_reads_as_bearer_and_as_password_of_anybody(cobalt: Party) -> None:
    text = access_key(cobalt)["key"]
    for authorization in (f"Bearer {text}", basic("", text), basic("whoever", text)):
        caller = read(authorization).json()["caller"]
        assert caller == {"via": "access_key", "key": text.split("_")[1]}


def test_an_access_key_changes_nothing(cobalt: Party) -> None:
    made = access_key(cobalt)
    for method, path in [("POST", "tokens"), ("POST", "access-keys"), ("DELETE", f"access-keys/{made['id']}")]:
        refused(with_authorization(cobalt.client, method, path, f"Bearer {made['key']}"), 403, "not-allowed")
    assert read(f"Bearer {made['key']}").status_code == 200


def test_an_access_key_is_shown_once(cobalt: Party) -> None:
    made = access_key(cobalt)
    listed = cobalt.get("access-keys")
    assert [row["id"] for row in listed.json()["access_keys"]] == [made["id"]]
    assert made["key"].split("_", 2)[2] not in listed.content.decode()


def test_an_access_key_ends(cobalt: Party) -> None:
    text = access_key(cobalt, days=1)["key"]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, seconds=1)):
        refused(read(f"Bearer {text}"), 401, "not-authenticated")


def test_an_access_key_is_revoked_by_its_own_organisation_only(cobalt: Party, aurora: Party) -> None:
    made = access_key(cobalt)
    path = f"access-keys/{made['id']}"
    refused(aurora.signed("DELETE", path), 403, "not-entitled")
    assert read(f"Bearer {made['key']}").status_code == 200
    assert cobalt.signed("DELETE", path).status_code == 204
    assert cobalt.signed("DELETE", path).status_code == 204
    refused(read(f"Bearer {made['key']}"), 401, "not-authenticated")


def test_others_access_keys_are_not_listed(cobalt: Party, aurora: Party) -> None:
    access_key(cobalt)
    assert aurora.get("access-keys").json() == {"access_keys": []}


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "", "days": 1}, {"name": "x", "days": 0}, {"name": "x", "days": 367}, {"name": "x", "days": "d"}],
)
def test_it_names_the_fields_of_an_access_key_that_are_wrong(cobalt: Party, body: dict[str, Any]) -> None:
    problem = refused(cobalt.signed("POST", "access-keys", json=body), 400, "invalid-request")
    assert {error["pointer"] for error in problem["errors"]} <= {"/name", "/days"}
    assert problem["errors"]


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer x",
        "Bearer hsk_",
        "Bearer hsk_00000000_unknown",
        "Bearer hst.x.y",
        "Bearer hst.é",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Digest x",
        "hsk_00000000_unknown",
        "Bearer " + "x" * 10_000,
    ],
)
def test_it_refuses_whatever_else_is_sent(db: None, authorization: str) -> None:
    response = read(authorization)
    refused(response, 401, "not-authenticated")
    assert response.headers["WWW-Authenticate"].startswith("Signature")


def test_it_tells_a_wrong_secret_what_it_tells_a_wrong_prefix(cobalt: Party) -> None:
    text = access_key(cobalt)["key"]
    wrong = refused(read(f"Bearer {text}x"), 401, "not-authenticated")
    unknown = refused(read("Bearer hsk_00000000_unknown"), 401, "not-authenticated")
    assert wrong == unknown
