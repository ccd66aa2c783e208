"""The catalogue, a list's declaration, and the way from a request to a granted subscription."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hashshare.models import HashList
from tests.api.parties import Party, enrolled, refused, with_authorization
from tests.api.publishing import TERMS, Hotline, subscribed

pytestmark = pytest.mark.django_db

DIGEST = hashlib.sha256(TERMS.encode()).hexdigest()


@pytest.fixture
def declared(aurora: Party) -> Hotline:
    """Aurora's list, nothing published yet."""
    hotline = Hotline(aurora, "aurora.example")
    assert hotline.declare().status_code == 201
    return hotline


def ask(party: Party, hotline: Hotline, digest: str = DIGEST) -> Any:
    return party.signed("POST", f"lists/{hotline.name}/subscriptions", json={"terms_digest": digest})


def decide(party: Party, hotline: Hotline, decision: str, who: str = "cobalt", **parts: Any) -> Any:
    path = f"lists/{hotline.name}/subscriptions/{who}/decision"
    return party.signed("POST", path, json={"decision": decision} | parts)


# --- declaring ---


def test_a_list_shows_what_it_declares(declared: Hotline, cobalt: Party) -> None:
    shown = cobalt.get("lists/aurora.example/images").json()
    expected = {
        "name": "aurora.example/images",
        "publisher": "aurora.example",
        "slug": "images",
        "id": declared.list_id,
        "title": "Images",
        "algorithms": ["sha256"],
        "scheme": "uk-abc",
        "columns": [],
        "terms": TERMS,
        "terms_digest": DIGEST,
        "visibility": "catalogue",
        "redistribution": {"policy": "none"},
        "poll_seconds": 300,
        "state": "draft",
        "version": 0,
        "own": False,
        "subscription": None,
    }
    assert {name: shown[name] for name in expected} == expected
    assert declared.party.get("lists/aurora.example/images").json()["own"] is True


def test_the_same_declaration_again_changes_nothing(declared: Hotline) -> None:
    assert declared.declare().status_code == 201
    refused(declared.declare(title="Other"), 409, "conflict")
    refused(declared.declare(id="f" * 16), 409, "conflict")
    assert HashList.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "slug"),
    [
        ({"publisher": "borealis.example"}, 403, "not-entitled"),
        ({"publisher": "nobody.example"}, 403, "not-entitled"),
        ({"slug": "Images"}, 400, "invalid-request"),
        ({"slug": "a/b"}, 400, "invalid-request"),
        ({"id": "xyz"}, 400, "invalid-request"),
        ({"title": ""}, 400, "invalid-request"),
        ({"algorithms": []}, 400, "invalid-request"),
        ({"algorithms": ["crc32"]}, 400, "unknown-algorithm"),
        ({"algorithms": ["sha256", "sha256"]}, 400, "invalid-request"),
        ({"scheme": "none"}, 400, "invalid-request"),
        ({"columns": ["colour"]}, 400, "invalid-request"),
        ({"visibility": "secret"}, 400, "invalid-request"),
        ({"redistribution": {"policy": "all"}}, 400, "invalid-request"),
        ({"redistribution": []}, 400, "invalid-request"),
        ({"poll_seconds": 1}, 400, "invalid-request"),
        ({"terms": "x" * 200_001}, 400, "invalid-request"),
    ],
)
def test_it_rejects_a_declaration_that_makes_no_sense(
    aurora: Party, borealis: Party, changes: dict[str, Any], status: int, slug: str
) -> None:
    refused(Hotline(aurora, "aurora.example").declare(**changes), status, slug)
    assert not HashList.objects.exists()


def test_the_terms_keep_every_character(aurora: Party) -> None:
    terms = "  First.\r\n\n\tSecond ☂ \n"
    Hotline(aurora, "aurora.example").declare(terms=terms)
    shown = aurora.get("lists/aurora.example/images").json()
    assert shown["terms"] == terms
    assert shown["terms_digest"] == hashlib.sha256(terms.encode()).hexdigest()


# --- finding ---


def test_the_catalogue_is_searched_by_words(declared: Hotline, cobalt: Party) -> None:
    assert [row["name"] for row in cobalt.get("lists").json()["lists"]] == ["aurora.example/images"]
    assert len(cobalt.get("lists?q=aurora+image").json()["lists"]) == 1
    assert cobalt.get("lists?q=video").json() == {"lists": []}
    assert "terms" not in cobalt.get("lists").json()["lists"][0]


def test_a_private_list_is_as_good_as_none(aurora: Party, cobalt: Party) -> None:
    hidden = Hotline(aurora, "aurora.example", slug="hidden", visibility="private")
    hidden.declare()
    assert cobalt.get("lists").json() == {"lists": []}
    there, nowhere = (cobalt.get(f"lists/aurora.example/{slug}") for slug in ("hidden", "nothing"))
    assert refused(there, 403, "not-entitled") == refused(nowhere, 403, "not-entitled")
    refused(ask(cobalt, hidden), 403, "not-entitled")
    assert decide(aurora, hidden, "grant").status_code == 200
    assert cobalt.get("lists/aurora.example/hidden").status_code == 200


# --- subscribing ---


def test_a_request_is_granted_and_revoked(declared: Hotline, cobalt: Party) -> None:
    asked = ask(cobalt, declared)
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    assert ask(cobalt, declared).status_code == 200
    [seen] = declared.party.get("lists/aurora.example/images/subscriptions").json()["subscriptions"]
    assert seen["organisation"] == {"slug": "cobalt", "name": "Cobalt", "kind": "member", "country": "NL"}
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    granted = decide(declared.party, declared, "grant", until=until).json()
    assert (granted["state"], granted["ends_at"]) == ("active", f"{until}T00:00:00Z")
    assert cobalt.get("lists/aurora.example/images").json()["subscription"]["state"] == "active"
    assert cobalt.get("status").json()["subscriptions"][0]["list"] == "aurora.example/images"
    revoked = decide(declared.party, declared, "revoke", reason="contract ended").json()
    assert (revoked["state"], revoked["reason"]) == ("revoked", "contract ended")


def test_a_denied_request_may_be_made_again(declared: Hotline, cobalt: Party) -> None:
    ask(cobalt, declared)
    assert decide(declared.party, declared, "deny", reason="who are you?").json()["state"] == "denied"
    assert ask(cobalt, declared).status_code == 201


def test_the_terms_must_be_those_that_stand(declared: Hotline, cobalt: Party) -> None:
    problem = refused(ask(cobalt, declared, "0" * 64), 403, "terms-not-accepted")
    assert problem["terms_digest"] == DIGEST
    refused(ask(cobalt, declared, "yes"), 400, "invalid-request")


def test_others_subscriptions_are_not_shown(declared: Hotline, cobalt: Party) -> None:
    ask(cobalt, declared)
    jade = enrolled("member", "Jade")
    assert jade.get("lists/aurora.example/images/subscriptions").json() == {"subscriptions": []}
    assert len(cobalt.get("lists/aurora.example/images/subscriptions").json()["subscriptions"]) == 1


def test_only_the_publisher_decides(declared: Hotline, cobalt: Party, borealis: Party) -> None:
    ask(cobalt, declared)
    refused(decide(cobalt, declared, "grant"), 403, "not-allowed")
    refused(decide(borealis, declared, "grant"), 403, "not-entitled")
    assert cobalt.get("heads").json() == {"lists": [], "publishers": []}


def test_a_publisher_needs_no_subscription_and_a_partner_gets_none(declared: Hotline, delta: Party) -> None:
    refused(ask(declared.party, declared), 403, "not-allowed")
    refused(ask(delta, declared), 403, "not-allowed")


@pytest.mark.parametrize(
    ("decision", "parts", "status", "slug"),
    [
        ("perhaps", {}, 400, "invalid-request"),
        ("grant", {"until": "tomorrow"}, 400, "invalid-request"),
        ("grant", {"until": "2020-01-01"}, 400, "invalid-request"),
        ("revoke", {}, 409, "conflict"),
        ("deny", {"reason": "x" * 501}, 400, "invalid-request"),
    ],
)
def test_it_rejects_a_decision_that_makes_no_sense(
    declared: Hotline, cobalt: Party, decision: str, parts: dict[str, Any], status: int, slug: str
) -> None:
    ask(cobalt, declared)
    refused(decide(declared.party, declared, decision, **parts), status, slug)


def test_a_decision_does_not_tell_who_exists(declared: Hotline, cobalt: Party) -> None:
    existing = refused(decide(declared.party, declared, "grant"), 404, "not-found")
    missing = refused(decide(declared.party, declared, "grant", who="nobody"), 404, "not-found")
    assert existing["detail"].replace("cobalt", "nobody") == missing["detail"]


# --- polling ---


def test_heads_are_those_that_the_caller_may_read(images: Hotline, cobalt: Party, borealis: Party) -> None:
    subscribed(cobalt, images)
    [head] = cobalt.get("heads").json()["lists"]
    published_at = head.pop("published_at")
    assert published_at.endswith("Z")
    assert head == {
        "name": "aurora.example/images",
        "id": images.list_id,
        "publisher": "aurora.example",
        "role_version": 1,
        "version": 1,
    }
    assert borealis.get("heads").json() == {"lists": [], "publishers": []}


def test_a_poll_with_nothing_new_is_empty_and_writes_nothing(
    images: Hotline, cobalt: Party, django_assert_num_queries: Any
) -> None:
    subscribed(cobalt, images)
    etag, token = cobalt.get("heads").headers["ETag"], cobalt.token()
    with django_assert_num_queries(1) as asked:
        again = with_authorization(cobalt.client, "GET", "heads", f"Bearer {token}", If_None_Match=etag)
    assert (again.status_code, again.content) == (304, b"")
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_the_tag_changes_with_what_may_be_read(images: Hotline, cobalt: Party) -> None:
    before = cobalt.get("heads").headers["ETag"]
    subscribed(cobalt, images)
    now = cobalt.get("heads", If_None_Match=before)
    assert now.status_code == 200
    assert now.headers["ETag"] != before


# --- publishers and status ---


def test_publishers_are_those_whose_lists_can_be_seen(images: Hotline, cobalt: Party, borealis: Party) -> None:
    [row] = cobalt.get("publishers").json()["publishers"]
    # The one alone also tells its own hotline whether it may begin anew.
    assert {**row, "anew_until": None} == cobalt.get("publishers/aurora.example").json()
    assert (row["domain"], row["name"]) == ("aurora.example", "Aurora")
    refused(cobalt.get("publishers/borealis.example"), 403, "not-entitled")
    refused(borealis.get("publishers/borealis.example"), 404, "not-found")


def test_status_shows_the_callers_own(aurora: Party, cobalt: Party) -> None:
    shown = aurora.get("status").json()
    assert shown["organisation"] == {"slug": "aurora", "name": "Aurora", "kind": "hotline", "country": "NL"}
    assert shown["publishers"] == [{"domain": "aurora.example", "fingerprint": ""}]
    assert [key["id"] for key in shown["keys"]] == [aurora.fingerprint]
    assert cobalt.get("status").json()["publishers"] == []
