"""Signed metadata and objects as they are served: to whom, in what parts, and what is written down about it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from pytest_django.fixtures import Settings

from hashshare.models import Delivery, StoredObject
from tests.api.parties import Party, refused
from tests.api.publishing import Hotline, subscribed

pytestmark = pytest.mark.django_db


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_subscriber_fetches_everything(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    for path, body in images.objects.items():
        response = cobalt.get(f"{images.targets_path}/{path}")
        assert response.status_code == 200
        assert body_of(response) == body
        assert response.headers["Content-Length"] == str(len(body))
        assert response.headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"'
        assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    for name in ("timestamp.json", "1.root.json", "1.targets.json", f"1.{images.list_id}.json"):
        response = cobalt.get(f"tuf/aurora.example/metadata/{name}")
        assert response.status_code == 200, name
        assert response.headers["Content-Type"] == "application/json"
    assert cobalt.get("tuf/aurora.example/metadata/timestamp.json").headers["Cache-Control"] == "private, no-cache"


def test_the_publisher_reads_its_own_list(images: Hotline) -> None:
    assert images.party.get(images.path_of(".parquet")).status_code == 200


@pytest.mark.parametrize("suffix", ["manifest.json", "base-1.json", ".parquet"])
def test_nobody_else_does(images: Hotline, suffix: str, cobalt: Party, borealis: Party, delta: Party) -> None:
    path = images.path_of(suffix)
    elsewhere = path.replace(images.list_id, "f" * 16)
    for party in (cobalt, borealis, delta):
        there = refused(party.get(path), 403, "not-entitled")
        assert there == refused(party.get(elsewhere), 403, "not-entitled")
        refused(party.get("tuf/aurora.example/metadata/timestamp.json"), 403, "not-entitled")
        refused(party.get(f"tuf/aurora.example/metadata/1.{images.list_id}.json"), 403, "not-entitled")


def test_the_right_ends_with_the_subscription(images: Hotline, cobalt: Party) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    subscribed(cobalt, images, until=tomorrow.date().isoformat())
    assert cobalt.get(images.path_of(".parquet")).status_code == 200
    with time_machine.travel(tomorrow):
        refused(cobalt.get(images.path_of(".parquet")), 403, "not-entitled")
        refused(cobalt.get("tuf/aurora.example/metadata/timestamp.json"), 403, "not-entitled")
        assert cobalt.get("heads").json() == {"lists": [], "publishers": []}


def test_the_right_ends_when_revoked(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    path = f"lists/{images.name}/subscriptions/cobalt/decision"
    assert images.party.signed("POST", path, json={"decision": "revoke", "reason": "left"}).status_code == 200
    refused(cobalt.get(images.path_of("manifest.json")), 403, "not-entitled")


def test_an_object_that_no_manifest_names_is_not_served(images: Hotline) -> None:
    body = b"{}"
    path = f"{images.list_id}/{hashlib.sha256(body).hexdigest()}.base-9.json"
    assert images.upload(path, body).status_code == 201
    refused(images.party.get(f"{images.targets_path}/{path}"), 404, "not-found")


@pytest.mark.parametrize("name", ["x.json", "root.json", "0.root.json", "2.root.json", "1.timestamp.json", ".."])
def test_metadata_that_is_not_there(images: Hotline, name: str) -> None:
    refused(images.party.get(f"tuf/aurora.example/metadata/{name}"), 404, "not-found")


def test_it_resumes_with_a_range(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    path = images.path_of(".parquet")
    whole = body_of(cobalt.get(path))
    part = cobalt.get(path, Range="bytes=100-")
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert whole[:100] + body_of(part) == whole
    beyond = cobalt.get(path, Range=f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
    other = cobalt.get(path, Range="bytes=100-", If_Range='"something else"')
    assert (other.status_code, body_of(other)) == (200, whole)


def test_it_sends_nothing_that_the_client_holds(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    paths = [images.path_of(".parquet"), images.path_of("manifest.json"), "tuf/aurora.example/metadata/1.root.json"]
    for path in paths:
        etag = cobalt.get(path).headers["ETag"]
        again = cobalt.get(path, If_None_Match=etag)
        assert (again.status_code, body_of(again)) == (304, b"")


def test_head_answers_headers_only(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    for suffix in (".parquet", "manifest.json"):
        path = images.path_of(suffix)
        head, full = cobalt.signed("HEAD", path), cobalt.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == full.headers["Content-Length"] == str(len(body_of(full)))


def test_every_manifest_served_in_full_is_a_delivery(images: Hotline, cobalt: Party) -> None:
    subscribed(cobalt, images)
    path = images.path_of("manifest.json")
    first = cobalt.get(path)
    assert cobalt.get(path, Range="bytes=5-").status_code == 200
    row = Delivery.objects.filter(organisation=cobalt.organisation).latest("at")
    assert (row.version, row.bytes, row.key) == (1, len(first.content), cobalt.fingerprint)
    cobalt.signed("HEAD", path)
    cobalt.get(path, If_None_Match=first.headers["ETag"])
    cobalt.get(images.path_of(".parquet"))
    assert Delivery.objects.filter(organisation=cobalt.organisation).count() == 2


def test_it_hands_files_over_to_the_web_server(images: Hotline, cobalt: Party, settings: Settings) -> None:
    subscribed(cobalt, images)
    settings.HASHSHARE_SENDFILE_PREFIX = "/internal-objects/"
    path = images.path_of(".parquet")
    response = cobalt.get(path, Range="bytes=1-")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-Accel-Redirect"] == "/internal-objects/" + path.split("/targets/")[1]
    manifest = cobalt.get(images.path_of("manifest.json"))
    assert "X-Accel-Redirect" not in manifest.headers
    assert manifest.content


def test_a_file_that_is_gone_is_the_hubs_failure(images: Hotline, settings: Settings) -> None:
    path = images.path_of(".parquet")
    (Path(settings.HASHSHARE_OBJECTS) / path.split("/targets/")[1]).unlink()
    problem = refused(images.party.get(path), 500, "internal")
    assert str(settings.HASHSHARE_OBJECTS) not in str(problem)
    assert StoredObject.objects.exists()
