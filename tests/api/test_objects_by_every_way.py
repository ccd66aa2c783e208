"""A segment and its conditions, ranges and HEAD by each way of serving: from the folder, by the web server, by the
object storage after a redirect, and through the hub from the object storage. The storage is a real S3 server.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django.fixtures import Settings

from hashshare.models import Delivery
from hashshare.storage import object_store
from tests.api.parties import Party, refused
from tests.api.publishing import Hotline, subscribed
from tests.storage.conftest import s3_server
from tests.storage.s3 import RunningS3

pytestmark = pytest.mark.django_db

__all__ = ["s3_server"]

PREFIX = "/_objects"


@pytest.fixture(params=["folder", "sendfile", "redirect", "stream"])
def way(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> str:
    way: str = request.param
    settings.HASHSHARE_OBJECTS = tmp_path / "objects"
    if way == "sendfile":
        settings.HASHSHARE_SENDFILE_PREFIX = PREFIX
    if way in ("redirect", "stream"):
        server: RunningS3 = request.getfixturevalue("s3_server")
        place = server.place(tmp_path / "checkouts")
        settings.HASHSHARE_S3 = place if way == "redirect" else replace(place, url_seconds=0)
    return way


@pytest.fixture
def images(way: str, aurora: Party, cobalt: Party) -> Hotline:
    """Version 1 of Aurora's list, verified out of the store it was uploaded to; Cobalt is subscribed."""
    hotline = Hotline(aurora, "aurora.example").publish()
    subscribed(cobalt, hotline)
    return hotline


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def asked(way: str, member: Party, path: str, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers as the client ends up with, whoever sends them: the redirect is followed for real."""
    response = member.get(path, **headers)
    status, body, named = response.status_code, body_of(response), response.headers
    if way == "redirect" and status == 307:
        own = {name.replace("_", "-"): text for name, text in headers.items() if name in ("Range", "If_Range")}
        there = requests.get(response.headers["Location"], headers=own, timeout=30)
        return there.status_code, there.content, there.headers
    return status, body, named


def test_the_whole(way: str, images: Hotline, cobalt: Party) -> None:
    path = images.path_of(".parquet")
    stored = path.split("/targets/")[1]
    whole = images.objects[stored]
    if way == "sendfile":
        response = cobalt.get(path)
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["X-Accel-Redirect"] == f"{PREFIX}/{stored}"
        assert response.headers["ETag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
        assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        return
    status, body, headers = asked(way, cobalt, path)
    assert (status, body) == (200, whole)
    assert headers["Content-Length"] == str(len(whole))
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["Content-Type"] == "application/vnd.apache.parquet"


@pytest.mark.parametrize("way", ["folder", "redirect", "stream"], indirect=True)
def test_a_part(way: str, images: Hotline, cobalt: Party) -> None:
    path = images.path_of(".parquet")
    whole = images.objects[path.split("/targets/")[1]]
    for header, part in {"bytes=100-": whole[100:], "bytes=0-0": whole[:1], "bytes=-7": whole[-7:]}.items():
        status, body, headers = asked(way, cobalt, path, Range=header)
        assert (status, body) == (206, part), header
        assert headers["Content-Range"].endswith(f"/{len(whole)}")
    status, _, headers = asked(way, cobalt, path, Range=f"bytes={len(whole)}-")
    assert status == 416
    assert way == "redirect" or headers["Content-Range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize("way", ["folder", "stream"], indirect=True)
def test_a_part_of_what_the_client_holds_and_the_whole_of_anything_else(
    way: str, images: Hotline, cobalt: Party
) -> None:
    path = images.path_of(".parquet")
    whole = images.objects[path.split("/targets/")[1]]
    etag = f'"{hashlib.sha256(whole).hexdigest()}"'
    assert asked(way, cobalt, path, Range="bytes=9-", If_Range=etag)[:2] == (206, whole[9:])
    assert asked(way, cobalt, path, Range="bytes=9-", If_Range='"other"')[:2] == (200, whole)


def test_nothing_of_what_the_client_holds(way: str, images: Hotline, cobalt: Party) -> None:
    path = images.path_of(".parquet")
    digest = hashlib.sha256(images.objects[path.split("/targets/")[1]]).hexdigest()
    for tag in (f'"{digest}"', f'W/"{digest}"', f'"x", "{digest}"', "*"):
        response = cobalt.get(path, If_None_Match=tag)
        assert (response.status_code, body_of(response)) == (304, b""), tag
        assert response.headers["ETag"] == f'"{digest}"'
        assert "Location" not in response.headers
    assert cobalt.get(path, If_None_Match='"other"').status_code in (200, 307)


def test_head_says_how_much_there_is(way: str, images: Hotline, cobalt: Party) -> None:
    for suffix in (".parquet", "base-1.json", "manifest.json"):
        path = images.path_of(suffix)
        body = images.objects[path.split("/targets/")[1]]
        response = cobalt.signed("HEAD", path, headers={"Range": "bytes=5-9"})
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Content-Length"] == str(len(body))
        assert response.headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"'


def test_the_hub_itself_sends_manifests_and_base_indexes(way: str, images: Hotline, cobalt: Party) -> None:
    for suffix in ("manifest.json", "base-1.json"):
        path = images.path_of(suffix)
        response = cobalt.get(path)
        assert (response.status_code, body_of(response)) == (200, images.objects[path.split("/targets/")[1]])
        assert not {"Location", "X-Accel-Redirect"} & set(response.headers)
    assert Delivery.objects.filter(organisation=cobalt.organisation).count() == 1


def test_nobody_else_is_sent_anywhere(way: str, images: Hotline, borealis: Party) -> None:
    for method in ("GET", "HEAD"):
        response = borealis.signed(method, images.path_of(".parquet"))
        assert response.status_code == 403
        assert not {"Location", "X-Accel-Redirect", "ETag"} & set(response.headers)


@pytest.mark.parametrize("way", ["redirect"], indirect=True)
def test_the_address_of_a_redirect_lives_five_minutes_and_is_for_nobody_else(
    way: str, images: Hotline, cobalt: Party, settings: Settings
) -> None:
    response = cobalt.get(images.path_of(".parquet"))
    assert (response.status_code, response.content) == (307, b"")
    assert "X-Amz-Expires=300&" in response.headers["Location"]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    settings.HASHSHARE_S3 = replace(settings.HASHSHARE_S3, url_seconds=20)
    assert "X-Amz-Expires=20&" in cobalt.get(images.path_of(".parquet")).headers["Location"]


@pytest.mark.parametrize("way", ["redirect"], indirect=True)
def test_a_credential_of_the_hub_is_refused_at_the_storage(way: str, images: Hotline, cobalt: Party) -> None:
    """So that a client that passes its token on is found out here, as S3 would."""
    where = cobalt.get(images.path_of(".parquet")).headers["Location"]
    assert requests.get(where, headers={"Authorization": "Bearer x"}, timeout=30).status_code == 400
    assert requests.get(where, timeout=30).status_code == 200


@pytest.mark.parametrize("way", ["folder", "stream"], indirect=True)
def test_what_is_gone_is_the_hubs_failure(way: str, images: Hotline, cobalt: Party, settings: Settings) -> None:
    path = images.path_of(".parquet")
    object_store().delete(path.split("/targets/")[1])
    problem = refused(cobalt.get(path), 500, "internal")
    assert str(settings.HASHSHARE_OBJECTS) not in str(problem)


@pytest.mark.parametrize("way", ["stream"], indirect=True)
def test_storage_out_of_reach_is_said_to_pass(
    way: str, images: Hotline, cobalt: Party, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hashshare.storage.bucket.RETRIES", 0)
    settings.HASHSHARE_S3 = replace(settings.HASHSHARE_S3, endpoint="http://127.0.0.1:9")
    path = images.path_of(".parquet")
    response = cobalt.get(path)
    problem = refused(response, 503, "storage-unavailable")
    assert response.headers["Retry-After"] == "10"
    assert "127.0.0.1:9" not in str(problem)
    settings.HASHSHARE_S3 = replace(settings.HASHSHARE_S3, url_seconds=300)
    assert cobalt.get(path).status_code == 307, "an address is signed without asking the storage"


@pytest.mark.parametrize("way", ["folder"], indirect=True)
def test_a_full_disk_is_said_and_keeps_nothing(
    way: str, images: Hotline, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    body = b"{}"
    path = f"{images.list_id}/{hashlib.sha256(body).hexdigest()}.base-2.json"
    with monkeypatch.context() as patched:
        patched.setattr("hashshare.storage.files.os.fsync", full)
        refused(images.upload(path, body), 503, "storage-unavailable")
    assert object_store().length(path) is None
    assert not list(settings.HASHSHARE_OBJECTS.rglob("*.part"))
    assert images.upload(path, body).status_code == 201


def test_the_same_object_is_not_taken_twice(way: str, images: Hotline) -> None:
    path = images.path_of(".parquet").split("/targets/")[1]
    refused(images.upload(path, images.objects[path]), 412, "already-there")
