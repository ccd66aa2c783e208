"""Every address and method says who may call it, and everybody else is turned away before anything is looked up."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, get_resolver

from federation.api import urls as between_hubs
from federation.api import witness_urls
from hashshare.api import public_urls, urls
from hashshare.api.endpoint import Endpoint
from hashshare.api.permissions import EVERY_DOOR, EVERY_KIND, SIGNED, Who
from tests.api.parties import CLIENT, Party, refused, with_authorization

pytestmark = pytest.mark.django_db

PLAIN_VIEWS = {"schema", "docs", "nothing-here", "witness-nothing-here"}
PARTS = {
    "domain": "aurora.example",
    "slug": "images",
    "organisation": "cobalt",
    "hub": "south.example",
    "version": "1",
    "filename": "timestamp.json",
    "list_id": "0" * 16,
    "digest": "0" * 64,
    "name": "manifest.json",
    "log": "aurora.example",
    "job_id": str(uuid.UUID(int=1)),
    "fingerprint": f"SHA256:{'A' * 43}",
    "access_key_id": str(uuid.UUID(int=1)),
    "draft_id": str(uuid.UUID(int=1)),
    "path": "0/000",
    "number": "2",
    "origin": "north.example/log/publication",
}
PUBLIC = {
    *("descriptor", "enrolments", "public-checkpoint", "public-tile"),
    *("public-checkpoint-of", "public-tile-of", "public-successions", "public-cosigned"),
    *("add-checkpoint", "cosigned"),
}
UNPUBLISHED = {"drafts", "draft-file", "peer-offers", "peer-decisions"}
"""What is no release yet goes to the hotline's own machine alone, and what crosses or was decided to the peer's, not to
whoever has a key for reading.
"""
BY_WHAT_THEY_BRING = {"enrolments", "add-checkpoint"}
"""They change something for anybody: who has the code, and who has the log's own signature on a checkpoint."""


def endpoints() -> Iterator[tuple[str, type[Endpoint]]]:
    for pattern in [*urls.urlpatterns, *public_urls.urlpatterns, *between_hubs.urlpatterns, *witness_urls.urlpatterns]:
        if isinstance(pattern, URLPattern) and pattern.name not in PLAIN_VIEWS:
            yield str(pattern.name), pattern.callback.cls  # type: ignore[attr-defined]


def declared() -> list[tuple[str, str, Who]]:
    return [(name, method, who) for name, view in endpoints() for method, who in view.who.items()]


def address(name: str) -> str:
    template: str
    template, parameters = get_resolver().reverse_dict.getlist(name)[0][0][0]
    return "/" + template % {parameter: PARTS[parameter] for parameter in parameters}


CLOSED = [(name, method, who) for name, method, who in declared() if who.doors]
SIGNED_ONLY = [(name, method, who) for name, method, who in CLOSED if who.doors == SIGNED]
SOME_KINDS = [(name, method, who) for name, method, who in CLOSED if who.kinds != EVERY_KIND]


def test_it_finds_the_endpoints() -> None:
    assert len(list(endpoints())) >= 26


def test_every_method_that_exists_is_declared_and_the_other_way_round() -> None:
    for name, view in endpoints():
        answered = {method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
        assert answered == {method.lower() for method in view.who}, name


def test_whatever_changes_something_is_signed() -> None:
    for name, method, who in declared():
        if method != "GET" and name not in BY_WHAT_THEY_BRING:
            assert who.doors == SIGNED, name
        if method == "GET" and name not in PUBLIC:
            assert who.doors == (EVERY_DOOR - {"access_key"} if name in UNPUBLISHED else EVERY_DOOR), name


def test_only_the_descriptor_enrolment_and_the_public_logs_are_public() -> None:
    assert {name for name, _, who in declared() if who.public} == PUBLIC


@pytest.mark.parametrize(("name", "method", "who"), CLOSED)
def test_it_turns_away_whoever_brings_nothing(name: str, method: str, who: Who) -> None:
    response = CLIENT.generic(method, address(name), SERVER_NAME="127.0.0.1")
    refused(response, 401, "not-authenticated")


@pytest.mark.parametrize(("name", "method", "who"), SIGNED_ONLY)
def test_it_turns_away_tokens_that_would_change_something(name: str, method: str, who: Who, aurora: Party) -> None:
    response = with_authorization(aurora.client, method, address(name), f"Bearer {aurora.token()}")
    refused(response, 403, "not-allowed")


@pytest.mark.parametrize(("name", "method", "who"), SOME_KINDS)
def test_it_turns_away_organisations_of_another_kind(
    name: str, method: str, who: Who, cobalt: Party, delta: Party
) -> None:
    for party in (cobalt, delta):
        if party.organisation.kind not in who.kinds:
            refused(party.signed(method, address(name), body=b"{}"), 403, "not-allowed")


NAMED = [(name, method) for name, method, _ in CLOSED if "%" not in address(name) and "aurora.example" in address(name)]


@pytest.mark.parametrize(("name", "method"), NAMED)
def test_it_answers_the_same_for_what_is_missing_and_what_is_anothers(
    name: str, method: str, borealis: Party, aurora: Party
) -> None:
    """Aurora exists, `nobody.example` doesn't: Borealis can't tell."""
    bodies: dict[str, Any] = {
        "subscriptions": {"terms_digest": "0" * 64},
        "decision": {"decision": "deny"},
        "commits": {"roles": {"root": ""}},
        "resumption": {"roles": {"root": 1}},
        "draft-outcome": {"version": 1},
        "hosted-keys": {},
        "hosted-feeds": {"keyid": "0" * 64},
        "list-peer-terms": {"members": "hub"},
        "list-peer-decision": {"decision": "deny"},
    }
    there, nowhere = (
        borealis.signed(
            method,
            address(name).replace("aurora.example", domain),
            headers={"If-Match": '"0"'},
            **({"json": bodies[name]} if method == "POST" or (name in bodies and method == "PUT") else {}),
        )
        for domain in ("aurora.example", "nobody.example")
    )
    assert refused(there, 403, "not-entitled") == refused(nowhere, 403, "not-entitled")


@pytest.mark.parametrize("name", sorted({name for name, _ in endpoints()}))
def test_it_answers_no_other_method(name: str, aurora: Party) -> None:
    view = dict(endpoints())[name]
    for method in {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(view.who):
        response = aurora.signed(method, address(name))
        refused(response, 405, "method-not-allowed")
        assert response.headers["Allow"]


def test_it_says_of_unknown_addresses_only_that_they_are_unknown(cobalt: Party) -> None:
    for path in ("", "nothing", "status/", "lists/aurora.example", "jobs/1", "tuf/a/targets/b"):
        response = CLIENT.get(f"/api/v1/{path}", SERVER_NAME="127.0.0.1")
        refused(response, 404, "not-found")
