"""Uploading objects and committing signed metadata: the way in, and everything that is kept out."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from hashshare.api.releases import Releases
from hashshare.models import HashList, Release, StoredObject
from hashshare.services.work import run_job
from hashshare.wire import keys, repository
from tests.api.parties import Party, refused, replay
from tests.api.publishing import Hotline, subscribed

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(aurora: Party, settings: Settings, tmp_path: Path) -> Hotline:
    """Aurora with a list that has had no release."""
    settings.HASHSHARE_OBJECTS = tmp_path / "objects"
    return Hotline(aurora, "aurora.example").prepare()


def stored(hotline: Hotline, body: bytes, name: str = "base-1.json") -> str:
    return f"{hotline.list_id}/{hashlib.sha256(body).hexdigest()}.{name}"


# --- uploads ---


def test_an_upload_is_idempotent(ready: Hotline) -> None:
    path = stored(ready, b"{}")
    first = ready.upload(path, b"{}")
    assert (first.status_code, first.json()["length"]) == (201, 2)
    refused(ready.upload(path, b"{}"), 412, "already-there")


def test_an_upload_beyond_what_the_hub_keeps_unpublished_is_refused(ready: Hotline, settings: Settings) -> None:
    settings.HASHSHARE_UPLOAD_GIB = 3 / 2**30
    assert ready.upload(stored(ready, b"{}"), b"{}").status_code == 201
    problem = refused(ready.upload(stored(ready, b"[]"), b"[]"), 413, "too-large")
    assert problem["limit"] == 3
    assert "HASHSHARE_UPLOAD_GIB" in problem["next_step"]
    assert StoredObject.objects.count() == 1


def test_an_upload_whose_file_is_gone_may_be_repeated(ready: Hotline, settings: Settings) -> None:
    path = stored(ready, b"{}")
    ready.upload(path, b"{}")
    (Path(settings.HASHSHARE_OBJECTS) / path).unlink()
    assert ready.upload(path, b"{}").status_code == 201


def test_an_upload_with_other_bytes_is_refused_and_leaves_nothing(ready: Hotline, settings: Settings) -> None:
    path = stored(ready, b"{}")
    refused(ready.upload(path, b"{ }"), 422, "wrong-digest")
    prepared = ready.party.prepare("PUT", f"{ready.targets_path}/{path}", body=b"{}")
    prepared.body = b"{ }"
    refused(replay(ready.party.client, prepared), 422, "wrong-digest")
    assert not StoredObject.objects.exists()
    assert not [file for file in Path(settings.HASHSHARE_OBJECTS).rglob("*") if file.is_file()]


def test_an_upload_must_be_the_body_that_was_signed(ready: Hotline) -> None:
    """The address names what arrives, but the signature was made for something else."""
    path = f"{ready.targets_path}/{stored(ready, b'{}')}"
    prepared = ready.party.prepare("PUT", path, body=b"[]")
    prepared.body = b"{}"
    refused(replay(ready.party.client, prepared), 422, "wrong-digest")
    assert not StoredObject.objects.exists()


def test_an_upload_is_only_taken_from_its_publisher(ready: Hotline, borealis: Party, cobalt: Party) -> None:
    path = f"{ready.targets_path}/{stored(ready, b'{}')}"
    refused(borealis.signed("PUT", path, body=b"{}"), 403, "not-entitled")
    refused(cobalt.signed("PUT", path, body=b"{}"), 403, "not-allowed")


def test_an_upload_cannot_leave_its_folder(ready: Hotline) -> None:
    digest = hashlib.sha256(b"{}").hexdigest()
    for name in ("..", "a%2Fb.json", "passwd", "x.exe", "Manifest.json"):
        refused(ready.upload(f"{ready.list_id}/{digest}.{name}", b"{}"), 404, "not-found")


def test_a_manifest_that_is_too_long_is_refused(ready: Hotline) -> None:
    body = b" " * (1024 * 1024 + 1)
    refused(ready.upload(stored(ready, body, "manifest.json"), body), 413, "too-large")


# --- commits ---


def test_a_commit_is_a_job_that_can_be_polled(ready: Hotline, borealis: Party) -> None:
    manifest = ready.build()
    ready.upload_all()
    answer = ready.commit(ready.release(manifest))
    assert answer.status_code == 202
    job = answer.json()["job"]
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["kind"], job["state"], job["attempts"]) == ("verify_release", "queued", 0)
    run_job(job_id=uuid.UUID(job["id"]), worker="worker@test", task_id="task-1")
    done = ready.party.get(f"jobs/{job['id']}").json()
    assert (done["state"], done["worker"], done["task_id"]) == ("done", "worker@test", "task-1")
    assert set(done["progress"]) == {"done", "total", "message"}
    refused(borealis.get(f"jobs/{job['id']}"), 403, "not-entitled")
    refused(borealis.get(f"jobs/{uuid.uuid4()}"), 403, "not-entitled")
    [head] = ready.party.get("heads").json()["lists"]
    assert (head["name"], head["version"], head["role_version"]) == ("aurora.example/images", 1, 1)


def test_the_same_commit_sent_twice_is_one_job(ready: Hotline) -> None:
    manifest = ready.build()
    ready.upload_all()
    roles = ready.release(manifest)
    first, again = ready.commit(roles), ready.commit(roles)
    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    refused(ready.commit(ready.release(manifest, version=2)), 409, "conflict")


def test_it_wants_to_know_which_version_a_commit_follows(ready: Hotline) -> None:
    manifest = ready.build()
    ready.upload_all()
    roles = ready.release(manifest)
    path, body = "tuf/aurora.example/commits", {"roles": {"root": ""}}
    refused(ready.party.signed("POST", path, json=body), 428, "precondition-required")
    for odd in ("0", '"x"', '"-1"', '"1", "2"', 'W/"1"'):
        refused(ready.party.signed("POST", path, json=body, headers={"If-Match": odd}), 400, "invalid-request")
    problem = refused(ready.commit(roles, follows=3), 409, "version-conflict")
    assert (problem["current"], problem["offered"]) == (0, 3)
    refused(ready.commit(ready.release(manifest, version=2)), 409, "version-conflict")


def test_it_covers_if_match_with_the_signature(ready: Hotline) -> None:
    prepared = ready.party.prepare(
        "POST", "tuf/aurora.example/commits", json={"roles": {"root": ""}}, headers={"If-Match": '"0"'}
    )
    prepared.headers["If-Match"] = '"7"'
    refused(replay(ready.party.client, prepared), 401, "bad-request-signature")


def test_it_rejects_a_stolen_role(ready: Hotline) -> None:
    manifest = ready.build()
    ready.upload_all()
    ready.feed = keys.generate()
    refused(ready.commit(ready.release(manifest)), 422, "signature-threshold")


def test_it_rejects_an_expired_role(ready: Hotline) -> None:
    manifest = ready.build()
    ready.upload_all()
    long_ago = datetime.now(UTC) - timedelta(days=30)
    feed = repository.sign_release(
        list_id=ready.list_id, manifest=manifest, version=1, signers=[keys.tuf_signer(ready.feed)], now=long_ago
    )
    refused(ready.commit({ready.list_id: feed}), 422, "expired-metadata")


@pytest.mark.parametrize("suffix", ["manifest.json", "base-1.json"])
def test_it_rejects_a_missing_object_at_once(ready: Hotline, suffix: str) -> None:
    manifest = ready.build()
    for path, body in ready.objects.items():
        if not path.endswith(suffix):
            ready.upload(path, body)
    refused(ready.commit(ready.release(manifest)), 422, "missing-object")
    assert HashList.objects.get().version == 0


def test_a_missing_shard_is_found_by_the_worker(ready: Hotline, cobalt: Party) -> None:
    manifest = ready.build()
    for path, body in ready.objects.items():
        if not path.endswith(".parquet"):
            ready.upload(path, body)
    job = ready.committed(ready.release(manifest))
    assert job["state"] == "failed"
    assert job["problem"]["type"] == "http://127.0.0.1:8000/problems/missing-object"
    [release] = ready.party.get("lists/aurora.example/images/releases").json()["releases"]
    assert (release["state"], release["job"]) == ("rejected", job["id"])
    assert release["reasons"]
    assert ready.party.get("heads").json()["lists"] == []


def test_a_rejected_version_is_used_again_and_readers_never_see_the_attempt(ready: Hotline, cobalt: Party) -> None:
    manifest = ready.build()
    for path, body in ready.objects.items():
        if not path.endswith(".parquet"):
            ready.upload(path, body)
    ready.committed(ready.release(manifest))
    for path, body in ready.objects.items():
        ready.upload(path, body)
    assert ready.committed(ready.release(manifest))["state"] == "done"
    subscribed(cobalt, ready)
    mine = ready.party.get("lists/aurora.example/images/releases").json()["releases"]
    theirs = cobalt.get("lists/aurora.example/images/releases").json()["releases"]
    assert [row["state"] for row in mine] == ["published", "rejected"]
    assert [row["state"] for row in theirs] == ["published"]
    one = cobalt.get("lists/aurora.example/images/releases/1").json()
    assert (one["version"], one["entries"], one["upserts"]) == (1, 1000, 1000)
    refused(cobalt.get("lists/aurora.example/images/releases/2"), 404, "not-found")


def copied(version: int) -> None:
    """The first release once more, as another version: what the hub has of one with which nothing else is done."""
    release = Release.objects.select_related("commit__job").get(version=1)
    commit = release.commit
    assert commit is not None
    job = commit.job
    for row in (job, commit, release):
        row.pk, row._state.adding = uuid.uuid4(), True
    job.save()
    commit.job = job
    commit.save()
    release.commit, release.version = commit, version
    release.save()


def test_releases_are_read_page_by_page(ready: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = ready.build()
    ready.upload_all()
    assert ready.committed(ready.release(manifest))["state"] == "done"
    for version in range(2, 6):
        copied(version)
    monkeypatch.setattr(Releases, "newest", 2)

    def page(query: str = "") -> list[int]:
        answer = ready.party.get(f"lists/aurora.example/images/releases{query}").json()
        return [row["version"] for row in answer["releases"]]

    assert [page(), page("?before=4"), page("?before=2"), page("?before=1")] == [[5, 4], [3, 2], [1], []]
    for wrong in ("0", "-1", "x", "9" * 20):
        refused(ready.party.get(f"lists/aurora.example/images/releases?before={wrong}"), 400, "invalid-request")


def test_releases_are_not_shown_to_others(ready: Hotline, cobalt: Party, borealis: Party) -> None:
    for party in (cobalt, borealis):
        refused(party.get("lists/aurora.example/images/releases"), 403, "not-entitled")
        refused(party.get("lists/aurora.example/images/releases/1"), 403, "not-entitled")
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    ("roles", "status", "slug"),
    [
        ({}, 400, "invalid-request"),
        ({"root": "not base64"}, 400, "invalid-request"),
        ({"root": 7}, 400, "invalid-request"),
        ([], 400, "invalid-request"),
        ({"snapshot": "e30="}, 403, "not-entitled"),
        ({"ffffffffffffffff": "e30="}, 403, "not-entitled"),
        ({"targets": "e30="}, 422, "malformed-metadata"),
        ({"targets": "/w=="}, 422, "malformed-metadata"),
    ],
)
def test_it_rejects_what_is_no_commit(ready: Hotline, roles: Any, status: int, slug: str) -> None:
    answer = ready.party.signed(
        "POST", "tuf/aurora.example/commits", json={"roles": roles}, headers={"If-Match": '"2"'}
    )
    refused(answer, status, slug)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"roles": NaN}', b"\xff", b"[" * 100_000])
def test_it_rejects_what_is_not_json(ready: Hotline, body: bytes) -> None:
    answer = ready.party.signed(
        "POST",
        "tuf/aurora.example/commits",
        body=body,
        headers={"If-Match": '"2"', "Content-Type": "application/json"},
    )
    refused(answer, 400, "invalid-request")


def test_it_rejects_another_type_of_body(ready: Hotline) -> None:
    answer = ready.party.signed(
        "POST", "tuf/aurora.example/commits", body=b"<a/>", headers={"If-Match": '"2"', "Content-Type": "text/xml"}
    )
    refused(answer, 415, "unsupported-media-type")
