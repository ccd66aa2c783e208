"""Several keys of one organisation: introduced by a signature or a code, kept in their windows, ended."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hashshare.models import AccessKey, OrganisationKey
from hashshare.services.introductions import MAX_KEYS
from hashshare.services.people import create_person
from hashshare.wire import keys
from hashshare.wire.introductions import prove_key
from tests.api.parties import HUB, Party, refused, with_authorization
from tests.api.test_enrolments import enrol

pytestmark = pytest.mark.django_db


def introduction(party: Party, key: Ed25519PrivateKey, **changes: Any) -> dict[str, Any]:
    proof = prove_key(key, hub=HUB, introducer=party.fingerprint)
    known = {"public_key": encoded(keys.public_bytes(key)), "proof": encoded(proof), "name": "sync-02"}
    return known | changes


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def introduced(party: Party, **changes: Any) -> Party:
    """The same organisation with its further key."""
    key = keys.generate()
    answer = party.signed("POST", "keys", json=introduction(party, key, **changes))
    assert answer.status_code == 201, answer.content
    return replace(party, key=key)


def revoke(party: Party, key: Party, **asked: Any) -> Any:
    name = key.fingerprint.replace("+", "-").replace("/", "_")
    return party.signed("POST", f"keys/{name}/revocation", json=asked)


def listed(party: Party) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in party.get("keys").json()["keys"]}


def test_a_key_introduces_the_next_one_and_both_open_doors(cobalt: Party) -> None:
    second = introduced(cobalt, days=30)
    rows = listed(second)
    assert rows[cobalt.fingerprint]["state"] == rows[second.fingerprint]["state"] == "active"
    assert rows[second.fingerprint]["introduced_by"] == cobalt.fingerprint
    life = datetime.fromisoformat(rows[second.fingerprint]["not_after"]) - datetime.now(UTC)
    assert timedelta(days=29) < life <= timedelta(days=30)
    assert cobalt.signed("POST", "tokens").status_code == 201


def test_it_answers_a_repetition_the_same(cobalt: Party) -> None:
    body = introduction(cobalt, keys.generate())
    first, again = (cobalt.signed("POST", "keys", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert OrganisationKey.objects.filter(organisation=cobalt.organisation).count() == 2


def test_nobody_introduces_a_key_that_somebody_else_holds(cobalt: Party) -> None:
    victim, thief = keys.generate(), keys.generate()
    body = introduction(cobalt, thief) | {"public_key": encoded(keys.public_bytes(victim))}
    refused(cobalt.signed("POST", "keys", json=body), 422, "signature-threshold")
    assert OrganisationKey.objects.count() == 1


def test_a_proof_made_for_one_introducer_is_of_no_use_to_another(cobalt: Party, aurora: Party) -> None:
    body = introduction(cobalt, keys.generate())
    refused(aurora.signed("POST", "keys", json=body), 422, "signature-threshold")


def test_a_key_belongs_to_one_organisation(cobalt: Party, aurora: Party) -> None:
    refused(aurora.signed("POST", "keys", json=introduction(aurora, cobalt.key)), 409, "conflict")


def test_a_revoked_key_does_not_come_back(cobalt: Party) -> None:
    second = introduced(cobalt)
    assert revoke(cobalt, second).status_code == 200
    refused(cobalt.signed("POST", "keys", json=introduction(cobalt, second.key)), 409, "conflict")


@pytest.mark.parametrize(
    "changes",
    [
        {"days": 0},
        {"days": 732},
        {"days": "soon"},
        {"name": ""},
        {"name": " "},
        {"name": "x" * 201},
        {"proof": "AAAA"},
        {"public_key": "AAAA"},
        {"not_before": "2020-01-01T00:00:00Z"},
        {"not_before": "2999-01-01T00:00:00Z"},
        {"not_before": "tomorrow"},
    ],
)
def test_it_names_what_is_wrong(cobalt: Party, changes: dict[str, Any]) -> None:
    refused(
        cobalt.signed("POST", "keys", json=introduction(cobalt, keys.generate(), **changes)), 400, "invalid-request"
    )


def test_an_organisation_has_so_many_keys_and_no_more(cobalt: Party) -> None:
    now = datetime.now(UTC)
    for number in range(MAX_KEYS - 1):
        raw = keys.public_bytes(keys.generate())
        OrganisationKey.objects.create(
            organisation=cobalt.organisation, fingerprint=keys.fingerprint(raw), public_key=raw, name=str(number)
        )
    one_more = introduction(cobalt, keys.generate())
    refused(cobalt.signed("POST", "keys", json=one_more), 409, "conflict")
    refused(cobalt.signed("POST", "keys/invitations", json={"name": "b"}), 409, "conflict")
    OrganisationKey.objects.filter(name="1").update(revoked_at=now)
    assert cobalt.signed("POST", "keys", json=one_more).status_code == 201


# --- windows -----------------------------------------------------------------------------------------------------


def test_a_key_opens_no_door_before_its_window_and_none_after_it(cobalt: Party) -> None:
    now = datetime.now(UTC)
    begins = (now + timedelta(days=2)).isoformat()
    second = introduced(cobalt, not_before=begins, days=10)
    assert listed(cobalt)[second.fingerprint]["state"] == "waiting"
    for day, opens in ((0, False), (3, True), (11, True), (13, False)):
        with time_machine.travel(now + timedelta(days=day)):
            answer = second.signed("POST", "tokens")
            if opens:
                assert answer.status_code == 201
            else:
                refused(answer, 401, "bad-request-signature")


@pytest.mark.parametrize("path", ["heads", "status"])
def test_a_token_opens_nothing_once_its_key_s_window_has_ended(cobalt: Party, path: str) -> None:
    now = datetime.now(UTC)
    second = introduced(cobalt, days=1)
    with time_machine.travel(now + timedelta(days=1, seconds=-60)):
        bearer = f"Bearer {second.token()}"
        assert with_authorization(cobalt.client, "GET", path, bearer).status_code == 200
    with time_machine.travel(now + timedelta(days=1, seconds=60)):
        refused(with_authorization(cobalt.client, "GET", path, bearer), 401, "not-authenticated")


# --- ending ------------------------------------------------------------------------------------------------------


def test_a_revoked_key_is_refused_at_once(cobalt: Party) -> None:
    second = introduced(cobalt)
    bearer = f"Bearer {cobalt.token()}"
    assert revoke(second, cobalt).json()["key"]["state"] == "revoked"
    refused(cobalt.signed("POST", "tokens"), 401, "bad-request-signature")
    refused(with_authorization(cobalt.client, "GET", "heads", bearer), 401, "not-authenticated")
    assert revoke(second, cobalt).json()["key"]["state"] == "revoked"


def test_an_ended_key_goes_on_for_its_overlap(cobalt: Party) -> None:
    now = datetime.now(UTC)
    second = introduced(cobalt)
    assert revoke(second, cobalt, after_hours=24).json()["key"]["state"] == "active"
    until = cobalt.row.not_after
    revoke(second, cobalt, after_hours=48)
    assert cobalt.row.not_after == until, "a later word must not lengthen it"
    with time_machine.travel(now + timedelta(hours=23)):
        assert cobalt.signed("POST", "tokens").status_code == 201
    with time_machine.travel(now + timedelta(hours=25)):
        refused(cobalt.signed("POST", "tokens"), 401, "bad-request-signature")
        assert second.signed("POST", "tokens").status_code == 201
    refused(revoke(second, cobalt, after_hours=24 * 31), 400, "invalid-request")


def test_the_last_key_in_force_ends_only_when_that_is_said(cobalt: Party) -> None:
    refused(revoke(cobalt, cobalt), 409, "last-key")
    later = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    introduced(cobalt, not_before=later)
    refused(revoke(cobalt, cobalt), 409, "last-key")
    introduced(cobalt, days=1)
    refused(revoke(cobalt, cobalt, after_hours=48), 409, "last-key")
    assert revoke(cobalt, cobalt, last=True, introduced=True).status_code == 200
    assert not OrganisationKey.objects.in_force(datetime.now(UTC)).exists()


@pytest.mark.parametrize("who", ["aurora", "delta"])
def test_others_cannot_end_a_key_nor_see_it(cobalt: Party, who: str, request: pytest.FixtureRequest) -> None:
    other: Party = request.getfixturevalue(who)
    nobodys = replace(cobalt, key=keys.generate())
    introduced(other)
    assert refused(revoke(other, cobalt), 403, "not-entitled") == refused(revoke(other, nobodys), 403, "not-entitled")
    assert cobalt.fingerprint not in listed(other)
    assert cobalt.signed("POST", "tokens").status_code == 201


def test_what_only_reads_ends_and_introduces_nothing(cobalt: Party) -> None:
    text = cobalt.signed("POST", "access-keys", json={"name": "curl"}).json()["key"]
    address = f"keys/{cobalt.fingerprint.replace('+', '-').replace('/', '_')}/revocation"
    for path in (address, "keys", "keys/invitations"):
        for credential in (text, cobalt.token()):
            answer = with_authorization(cobalt.client, "POST", path, f"Bearer {credential}")
            refused(answer, 403, "not-allowed")


def test_after_a_theft_all_that_the_key_brought_ends_with_it(cobalt: Party) -> None:
    """A thief introduces keys, codes and access keys; whoever reports the theft cannot know them."""
    stolen, clean = introduced(cobalt), introduced(cobalt)
    planted = introduced(introduced(stolen))
    stolen.signed("POST", "access-keys", json={"name": "planted"})
    cobalt.signed("POST", "access-keys", json={"name": "ours"})
    told = revoke(clean, stolen).json()
    assert [row["name"] for row in told["left"]] == ["sync-02", "sync-02"]
    told = revoke(clean, stolen, introduced=True).json()
    assert [row["state"] for row in told["ended"]] == ["revoked", "revoked"]
    assert told["left"] == []
    refused(planted.signed("POST", "tokens"), 401, "bad-request-signature")
    assert cobalt.signed("POST", "tokens").status_code == 201
    assert list(AccessKey.objects.filter(revoked_at=None).values_list("name", flat=True)) == ["ours"]


def test_access_keys_end_at_once_with_the_key_that_made_them(cobalt: Party) -> None:
    second = introduced(cobalt)
    text = second.signed("POST", "access-keys", json={"name": "curl"}).json()["key"]
    cobalt.signed("POST", "access-keys", json={"name": "of another"})
    assert with_authorization(cobalt.client, "GET", "heads", f"Bearer {text}").status_code == 200
    told = revoke(cobalt, second).json()
    assert [row["name"] for row in told["access_keys"]] == ["curl"]
    assert told["access_keys_left"] == []
    refused(with_authorization(cobalt.client, "GET", "heads", f"Bearer {text}"), 401, "not-authenticated")
    assert list(AccessKey.objects.filter(revoked_at=None).values_list("name", flat=True)) == ["of another"]


def test_access_keys_are_kept_when_that_is_said_and_end_when_it_is_no_longer(cobalt: Party) -> None:
    second = introduced(cobalt)
    text = second.signed("POST", "access-keys", json={"name": "curl"}).json()["key"]
    told = revoke(cobalt, second, keep_access_keys=True).json()
    assert (told["access_keys"], [row["name"] for row in told["access_keys_left"]]) == ([], ["curl"])
    assert with_authorization(cobalt.client, "GET", "heads", f"Bearer {text}").status_code == 200
    refused(revoke(cobalt, second, keep_access_keys=True, introduced=True), 400, "invalid-request")
    assert [row["name"] for row in revoke(cobalt, second).json()["access_keys"]] == ["curl"]
    refused(with_authorization(cobalt.client, "GET", "heads", f"Bearer {text}"), 401, "not-authenticated")


def test_access_keys_outlive_a_key_that_is_only_told_to_end_later(cobalt: Party) -> None:
    """As in a rotation: they have an end of their own."""
    second = introduced(cobalt)
    text = second.signed("POST", "access-keys", json={"name": "curl"}).json()["key"]
    told = revoke(cobalt, second, after_hours=24).json()
    assert [row["name"] for row in told["access_keys_left"]] == ["curl"]
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert with_authorization(cobalt.client, "GET", "heads", f"Bearer {text}").status_code == 200


def test_after_a_theft_codes_of_a_planted_key_that_has_run_out_are_void_too(cobalt: Party) -> None:
    now = datetime.now(UTC)
    stolen = introduced(cobalt)
    planted = introduced(stolen, days=1)
    with time_machine.travel(now + timedelta(hours=23)):
        code = planted.signed("POST", "keys/invitations", json={"name": "b"}).json()["code"]
    with time_machine.travel(now + timedelta(hours=25)):
        assert revoke(cobalt, stolen, introduced=True).status_code == 200
        refused(enrol(code, keys.generate()), 403, "invitation-invalid")


def test_what_a_revoked_key_had_brought_does_not_end_by_a_slip_if_nothing_else_is_left(cobalt: Party) -> None:
    second = introduced(cobalt)
    assert revoke(second, cobalt).status_code == 200
    refused(revoke(second, cobalt, introduced=True), 409, "last-key")
    assert second.signed("POST", "tokens").status_code == 201


# --- a second machine --------------------------------------------------------------------------------------------


def test_a_second_machine_enrols_with_a_code_of_the_first(cobalt: Party) -> None:
    code = cobalt.signed("POST", "keys/invitations", json={"name": "sync-02"}).json()["code"]
    key = keys.generate()
    answer = enrol(code, key, key_name="what the machine says")
    assert answer.status_code == 201
    assert answer.json()["organisation"]["slug"] == "cobalt"
    row = listed(replace(cobalt, key=key))[keys.fingerprint_of(key)]
    assert (row["name"], row["introduced_by"]) == ("sync-02", cobalt.fingerprint)


def test_a_code_is_good_for_a_day_and_void_when_the_key_that_made_it_is_revoked(cobalt: Party) -> None:
    second = introduced(cobalt)
    first_code, other = (second.signed("POST", "keys/invitations", json={"name": "b"}).json()["code"] for _ in range(2))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=1, minutes=1)):
        refused(enrol(first_code, keys.generate()), 403, "invitation-invalid")
    revoke(cobalt, second)
    refused(enrol(other, keys.generate()), 403, "invitation-invalid")


def test_a_code_names_a_person_of_the_own_organisation_only(cobalt: Party, aurora: Party) -> None:
    create_person(
        email="ana@aurora.example", role="engineer", password="correct horse", organisation=aurora.organisation
    )
    body = {"name": "b", "holder": "ana@aurora.example"}
    theirs = refused(cobalt.signed("POST", "keys/invitations", json=body), 400, "invalid-request")
    nobodys = refused(
        cobalt.signed("POST", "keys/invitations", json=body | {"holder": "x@y.example"}), 400, "invalid-request"
    )
    assert theirs == nobodys
    assert aurora.signed("POST", "keys/invitations", json=body).status_code == 201


def test_an_enrolled_key_ends_after_two_years(cobalt: Party) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=732)):
        refused(cobalt.signed("POST", "tokens"), 401, "bad-request-signature")
