"""What breaks off in the middle leaves the last good state served, and goes on from what was fetched."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from federation.models import MirroredPublisher, Peer
from federation.services import mirroring, objects
from federation.services.mirroring import run_mirror_job
from hashshare.models import Job, Metadata, Release, StoredObject
from hashshare.selectors.metadata import metadata_file
from hashshare.services.jobs import claim_job
from hashshare.services.objects import prune_objects
from hashshare.storage.folder import FolderStore
from tests.builders import member, now
from tests.client.members.aurora import Aurora, items
from tests.client.members.north import Fault
from tests.federation.mirrored import Following, metadata_here, objects_here, reader, row_of
from tests.federation.test_hostile_peer import lose_home, slug_of


class KilledError(BaseException):
    """As a worker ends: nothing after it is done."""


@pytest.fixture
def good(north: Following, aurora: Aurora) -> dict[str, bytes]:
    """Version 2 is served; version 3 is on offer."""
    aurora.release(items(300))
    north.follow()
    aurora.release(items(300))
    return metadata_here(aurora) | objects_here(aurora)


def killed(north: Following) -> Job:
    """The job whose worker ended, its lease run out."""
    north.poll()
    job = Job.objects.get(kind=Job.Kind.MIRROR, state=Job.State.QUEUED)
    with pytest.raises(KilledError):
        run_mirror_job(job_id=job.pk, worker="worker", task_id="")
    Job.objects.filter(pk=job.pk).update(leased_until=now() - timedelta(seconds=1))
    return job


def goes_on(job: Job, aurora: Aurora) -> None:
    run_mirror_job(job_id=job.pk, worker="another", task_id="")
    job.refresh_from_db()
    assert (job.state, job.problem) == (Job.State.DONE, None)
    assert row_of(aurora).version == aurora.version
    assert all(aurora.objects[path] == body for path, body in objects_here(aurora).items())
    assert Release.objects.filter(list=row_of(aurora), version=aurora.version).count() == 1


@pytest.mark.parametrize(
    "where",
    [
        "federation.services.mirroring.copy_publisher",
        "federation.services.mirroring.store_bytes",
        "federation.services.objects._store",
        "federation.services.mirroring.serve_copy",
        "federation.services.storing.keep_metadata",
        "federation.services.storing.publish_objects",
        "federation.services.storing._keep_snapshot_and_timestamp",
        "federation.services.storing.finish_job",
    ],
)
def test_a_worker_that_is_killed_there(
    north: Following, aurora: Aurora, good: dict[str, bytes], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> None:
        raise KilledError

    monkeypatch.setattr(where, end)
    job = killed(north)
    assert metadata_here(aurora) | objects_here(aurora) == good
    monkeypatch.undo()
    goes_on(job, aurora)


def test_a_worker_that_is_killed_before_it_told_the_peer(
    north: Following, aurora: Aurora, good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object, **__: object) -> None:
        raise KilledError

    monkeypatch.setattr(mirroring, "acknowledge_lists", end)
    job = killed(north)
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    monkeypatch.undo()
    north.follow(later=timedelta(hours=2))
    newest = north.north.logs[aurora.domain].newest
    assert {stated.version for stated in newest.values()} == {3}


def test_a_download_that_breaks_off_goes_on_where_it_was(
    north: Following, aurora: Aurora, good: dict[str, bytes]
) -> None:
    path = aurora.object_path("delta-2-3")
    half = len(aurora.objects[path]) // 2
    north.north.faults.append(Fault("delta-2-3", cut=half, times=1))
    north.north.faults.append(Fault("delta-2-3", status=404, times=1))
    (job,) = north.follow()
    assert slug_of(job.problem) == "missing-object"
    parts = [file.stat().st_size for file in north.store(aurora).objects_folder.glob("*.part")]
    assert parts == [half]
    north.rest()
    before = len(north.north.requests)
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    asked = [headers for _, path, headers in north.north.requests[before:] if "delta-2-3" in path]
    assert [headers.get("Range") for headers in asked] == [f"bytes={half}-"]


def test_a_peer_that_dies_in_the_middle(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.poll()
    north.north.faults.append(Fault("targets", status=503, times=100, headers={"Retry-After": "600"}))
    job = Job.objects.get(state=Job.State.QUEUED)
    run_mirror_job(job_id=job.pk, worker="worker", task_id="")
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert metadata_here(aurora) | objects_here(aurora) == good
    assert north.mirror(aurora).state == MirroredPublisher.State.FOLLOWING
    north.north.faults.clear()
    north.rest()
    north.follow()
    assert row_of(aurora).version == 3


def test_a_store_without_room(
    north: Following, aurora: Aurora, good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is given back and tried again; nothing is told of the peer, whose fault it is not."""

    def full(*_: object, **__: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(FolderStore, "receive", full)
    (job,) = north.follow()
    assert job.state == Job.State.QUEUED
    assert metadata_here(aurora) | objects_here(aurora) == good
    monkeypatch.undo()
    goes_on(job, aurora)


def test_a_worker_whose_claim_is_lost_changes_nothing(
    north: Following, aurora: Aurora, good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = objects.store_bytes

    def late(*arguments: object, **named: object) -> None:
        original(*arguments, **named)  # type: ignore[arg-type]
        Job.objects.filter(state=Job.State.RUNNING).update(claim=uuid.uuid4())

    monkeypatch.setattr(mirroring, "store_bytes", late)
    north.poll()
    job = Job.objects.get(state=Job.State.QUEUED)
    run_mirror_job(job_id=job.pk, worker="late", task_id="")
    assert metadata_here(aurora) | objects_here(aurora) == good
    monkeypatch.undo()
    Job.objects.filter(pk=job.pk).update(leased_until=now() - timedelta(seconds=1))
    goes_on(job, aurora)


@pytest.mark.parametrize("change", [{"state": "suspended"}, {"differs": {"fingerprint": "0" * 64}}])
def test_what_was_on_its_way_from_a_peer_that_was_suspended_is_not_served(
    north: Following, aurora: Aurora, good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    original = objects.store_bytes

    def suspended(*arguments: object, **named: object) -> None:
        original(*arguments, **named)  # type: ignore[arg-type]
        Peer.objects.update(**change)

    monkeypatch.setattr(mirroring, "store_bytes", suspended)
    north.poll()
    job = Job.objects.get(state=Job.State.QUEUED)
    run_mirror_job(job_id=job.pk, worker="late", task_id="")
    job.refresh_from_db()
    assert slug_of(job.problem) == "not-a-peer"
    assert metadata_here(aurora) | objects_here(aurora) == good


def test_one_copy_at_a_time_from_a_peer(north: Following, aurora: Aurora, good: dict[str, bytes]) -> None:
    north.poll()
    job = Job.objects.get(state=Job.State.QUEUED)
    other = Job.objects.create(kind=Job.Kind.MIRROR, target=job.target, created_at=now())
    assert claim_job(job_id=other.pk, worker="other", task_id="", now=now()) is not None
    run_mirror_job(job_id=job.pk, worker="worker", task_id="")
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.QUEUED, 0)


# --- A home that was lost ------------------------------------------------------------------------------------------


def test_a_lost_home_is_brought_back_from_what_is_served(
    north: Following, aurora: Aurora, good: dict[str, bytes]
) -> None:
    lose_home(north)
    before = len(north.north.requests)
    (job,) = north.follow()
    assert job.state == Job.State.DONE, job.problem
    fetched = [path.rpartition(".")[0] for _, path, _ in north.north.requests[before:] if path.endswith(".parquet")]
    assert len(fetched) == 1, "only what is new"
    assert row_of(aurora).version == 3


def test_a_lost_home_still_guards_against_a_large_loss(north: Following, aurora: Aurora) -> None:
    known = items(400)
    aurora.release(known)
    north.follow()
    lose_home(north)
    aurora.release([], known[:200])
    (job,) = north.follow()
    assert slug_of(job.problem) == "large-loss"
    assert row_of(aurora).version == 2


# --- Time passes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hour() -> Iterator[timedelta]:
    yield timedelta(hours=1)


def test_a_timestamp_is_renewed_each_hour_although_nothing_is_new(
    north: Following, aurora: Aurora, hour: timedelta
) -> None:
    aurora.release(items(5))
    north.follow()
    aurora.stamp()
    assert north.follow(later=hour / 2) == []
    (job,) = north.follow(later=hour + timedelta(minutes=1))
    assert job.state == Job.State.DONE
    assert metadata_here(aurora)["timestamp.json"] == aurora.metadata["timestamp.json"]


def test_with_a_dead_peer_members_see_the_timestamp_end(north: Following, aurora: Aurora) -> None:
    aurora.timestamp_life = timedelta(hours=24)
    aurora.release(items(5))
    north.follow()
    caller = reader(member(), aurora)
    served = metadata_file(caller=caller, domain=aurora.domain, filename="timestamp.json", now=now()).content
    north.north.faults.append(Fault("", status=503, times=1000, headers={"Retry-After": "600"}))
    for hours in (2, 12, 25, 48):
        later = now() + timedelta(hours=hours)
        north.follow(later=timedelta(hours=hours))
        again = metadata_file(caller=caller, domain=aurora.domain, filename="timestamp.json", now=later)
        assert again.content == served
    row = Metadata.objects.get(publisher__domain=aurora.domain, role="timestamp")
    assert row.expires_at < now() + timedelta(hours=24)


def test_what_is_superseded_goes_here_as_at_home(north: Following, aurora: Aurora) -> None:
    known = items(30)
    aurora.release(known)
    north.follow()
    aurora.release([], known[:2])
    north.follow()
    old = StoredObject.objects.filter(list=row_of(aurora), superseded_at__isnull=False)
    assert old.exists()
    assert all(row.superseded_at <= now() for row in old if row.superseded_at)
    names = {row.name for row in old}
    StoredObject.objects.update(uploaded_at=now() - timedelta(days=8))
    prune_objects(now=now() + timedelta(days=7, minutes=1))
    left = {row.name for row in StoredObject.objects.filter(list=row_of(aurora), superseded_at__isnull=False)}
    assert names
    assert not left


def test_the_copy_that_waited_is_sent_when_the_one_before_is_done(
    north: Following, aurora: Aurora, good: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[uuid.UUID] = []
    monkeypatch.setattr(mirroring, "send", lambda job: sent.append(job.pk))
    north.poll()
    job = Job.objects.get(state=Job.State.QUEUED)
    waiting = Job.objects.create(kind=Job.Kind.MIRROR, target=job.target, created_at=now())
    run_mirror_job(job_id=job.pk, worker="worker", task_id="")
    assert sent == [waiting.pk]
