"""The poll costs one query at most, writes nothing, and yet ends at once with a key, an organisation or a right."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from hashshare.api.authentication import OrganisationAuthentication
from hashshare.models import Metadata, Publisher
from hashshare.services.keys import revoke_key
from hashshare.services.organisations import suspend_organisation
from tests.api.parties import CLIENT, Party, refused, with_authorization
from tests.api.publishing import Hotline, subscribed

pytestmark = pytest.mark.django_db


def poll(bearer: str, **headers: str) -> Any:
    return with_authorization(CLIENT, "GET", "heads", bearer, **headers)


def test_a_token_is_verified_without_the_database(cobalt: Party) -> None:
    token = cobalt.token()
    request = Request(APIRequestFactory().get("/api/v1/heads", headers={"Authorization": f"Bearer {token}"}))
    with CaptureQueriesContext(connection) as queries:
        found = OrganisationAuthentication().authenticate(request)
        assert found is not None
        caller, signed = found
        assert (caller.organisation.pk, caller.organisation.kind) == (cobalt.organisation.pk, "member")
        assert (caller.via, caller.key_id, signed) == ("token", cobalt.fingerprint, None)
    assert len(queries) == 0
    assert caller.organisation.name == "Cobalt"


def test_nothing_new_is_one_query_that_writes_nothing(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    bearer = f"Bearer {cobalt.token()}"
    first = poll(bearer)
    assert [row["name"] for row in first.json()["lists"]] == [images.name]
    with CaptureQueriesContext(connection) as queries:
        again = poll(bearer, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert [query["sql"][:6] for query in queries] == ["SELECT"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_broke_while_idle_is_made_anew(cobalt: Party) -> None:
    """As after the database was started again; and a connection that is well is not asked for its health first."""
    bearer = f"Bearer {cobalt.token()}"
    assert poll(bearer).status_code == 200
    with CaptureQueriesContext(connection), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [backend])
    assert poll(bearer).status_code == 200


def test_something_new_is_one_query_too(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    bearer = f"Bearer {cobalt.token()}"
    with CaptureQueriesContext(connection) as queries:
        assert poll(bearer, If_None_Match='"older"').status_code == 200
    assert len(queries) == 1


def test_a_revoked_key_and_a_suspended_organisation_poll_no_more(images: Hotline, cobalt: Party, delta: Party) -> None:
    """Whether or not there is a list to read, and whatever the client holds."""
    subscribed(cobalt, images)
    for party in (cobalt, delta):
        bearer = f"Bearer {party.token()}"
        etag = poll(bearer).headers["ETag"]
        revoke_key(organisation=party.organisation, fingerprint=party.fingerprint, now=timezone.now())
        refused(poll(bearer, If_None_Match=etag), 401, "not-authenticated")
    bearer = f"Bearer {images.party.token()}"
    assert poll(bearer).status_code == 200
    suspend_organisation(organisation=images.party.organisation)
    refused(poll(bearer), 401, "not-authenticated")


def test_a_token_opens_nothing_else_of_a_revoked_key(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    bearer = f"Bearer {cobalt.token()}"
    paths = [images.path_of(".parquet"), images.path_of("manifest.json"), "tuf/aurora.example/metadata/timestamp.json"]
    paths += ["status", "lists", f"lists/{images.name}", "access-keys", "hub"]
    opened = [path for path in paths if with_authorization(CLIENT, "GET", path, bearer).status_code == 200]
    assert len(opened) >= 7
    revoke_key(organisation=cobalt.organisation, fingerprint=cobalt.fingerprint, now=timezone.now())
    for path in opened:
        refused(with_authorization(CLIENT, "GET", path, bearer), 401, "not-authenticated")


def test_a_token_of_another_hub_or_of_half_the_fields_is_refused(cobalt: Party) -> None:
    from django.core.signing import Signer

    for payload in ("WyJhIl0", "bm90IGpzb24", "W10", "e30"):
        text = "hst." + Signer(salt="hashshare.token", sep=".").sign(payload)
        refused(poll(f"Bearer {text}"), 401, "not-authenticated")
    refused(poll(f"Bearer {cobalt.token()}x"), 401, "not-authenticated")


def test_a_root_that_changes_alone_moves_the_tag_and_is_named(images: Hotline, cobalt: Party, delta: Party) -> None:
    """Once for each publisher of a list that the caller may read; nobody else learns of it."""
    subscribed(cobalt, images)
    bearer, stranger = f"Bearer {cobalt.token()}", f"Bearer {delta.token()}"
    first = poll(bearer)
    [named] = first.json()["publishers"]
    publisher = Publisher.objects.get(domain=named["domain"])
    assert (named["root_version"], named["root_fingerprint"]) == (1, publisher.root_fingerprint)
    root = Metadata.objects.get(publisher=publisher, role="root")
    root.pk, root.version = None, 2
    root.save(force_insert=True)
    again = poll(bearer, If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.json()["publishers"][0]["root_version"]) == (200, 2)
    assert again.json()["lists"] == first.json()["lists"]
    assert poll(stranger).json()["publishers"] == []
