"""What nothing needs goes after its time; what anything still names stays, whoever comes at the same moment."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from hashshare.models import Commit, HashList, Job, Metadata, StoredObject
from hashshare.services.manifests import object_path
from hashshare.services.objects import check_upload_allowed, prunable, prune_object, prune_objects, store_object
from hashshare.services.pruning import prune_records
from hashshare.services.timestamps import refresh_timestamps
from hashshare.storage import object_store
from hashshare.wire import errors
from hashshare.wire.manifest import Manifest
from tests import builders as b
from tests.storage.conftest import s3_server
from tests.storage.s3 import RunningS3

__all__ = ["s3_server"]

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> str:
    settings.HASHSHARE_OBJECTS = tmp_path / "objects"
    if request.param == "bucket":
        server: RunningS3 = request.getfixturevalue("s3_server")
        settings.HASHSHARE_S3 = server.place(tmp_path / "checkouts")
    return str(request.param)


def merged_twice(feed: b.Feed) -> tuple[Manifest, Manifest]:
    """Versions 1 to 3, then 4 with the deltas of 2 and 3 merged: those two are superseded. The manifests of 3 and 4."""
    feed.publish(feed.first([b.entry() for _ in range(3)]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    feed.publish(feed.next([b.upsert(b.entry())]))
    before = feed.manifest
    assert before is not None
    feed.publish(feed.merged(feed.next([b.upsert(b.entry())]), 1, 3))
    assert feed.manifest is not None
    return before, feed.manifest


def names(feed: b.Feed, manifest: Manifest) -> set[str]:
    return {ref.name for ref in manifest.object_refs()}


def stored(feed: b.Feed) -> set[str]:
    """Rows that have their bytes; a row without them would show as missing here."""
    rows = StoredObject.objects.filter(list=feed.row).exclude(name="manifest.json")
    found = {row.name: object_store().length(f"{feed.list_id}/{row}") for row in rows}
    assert None not in found.values(), found
    return set(found)


def test_what_is_superseded_goes_after_seven_days(store: str) -> None:
    feed = b.feed(b.publisher())
    before, after = merged_twice(feed)
    assert prune_objects(now=b.now() + WEEK - timedelta(hours=1)) == 0
    old = [segment.object for segment in before.segments]
    assert prune_objects(now=b.now() + WEEK + timedelta(minutes=1)) == 2 + 3
    for ref in old:
        with pytest.raises(errors.MissingObject):
            object_path(ref)
    assert {row.name for row in StoredObject.objects.filter(list=feed.row)} == names(feed, after) | {
        "manifest.json",
        "base-1-0000.parquet",
    }
    assert prune_objects(now=b.now() + WEEK + timedelta(minutes=1)) == 0
    feed.publish(feed.next([b.upsert(b.entry())]))


def test_a_run_that_was_killed_in_the_middle_goes_on(store: str) -> None:
    """The bytes go before the row: of whatever a kill left, the next run finds the row."""
    feed = b.feed(b.publisher())
    before, _ = merged_twice(feed)
    lost = before.segments[0].object
    object_store().delete(f"{feed.list_id}/{lost.sha256}.{lost.name}")
    assert prune_objects(now=b.now() + WEEK + timedelta(minutes=1)) == 2 + 3
    assert not StoredObject.objects.filter(digest=lost.sha256).exists()
    stored(feed)


def test_what_its_publisher_asks_after_stays_a_day_longer() -> None:
    feed = b.feed(b.publisher())
    before, _ = merged_twice(feed)
    ref, later = before.segments[0].object, b.now() + WEEK + timedelta(minutes=1)
    StoredObject.objects.update(uploaded_at=b.now() - timedelta(days=1))
    due = StoredObject.objects.filter(prunable(later), digest=ref.sha256)
    assert due.exists()
    with pytest.raises(errors.AlreadyThere):
        check_upload_allowed(
            caller=feed.publisher.caller,
            domain=feed.publisher.domain,
            list_id=feed.list_id,
            digest=ref.sha256,
            name=ref.name,
            content_length=ref.length,
            now=later,
        )
    assert not due.exists()


class Meanwhile(threading.Thread):
    """Does something on a connection of its own; `result` gives what it returned or raises what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.work, self.answer = work, None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self.work()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def waits(self) -> bool:
        """Whether it is held up by a lock; at most five seconds are given to get there."""
        for _ in range(50):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                if cursor.fetchone()[0]:
                    return self.is_alive()
            time.sleep(0.1)
        return False

    def result(self) -> Any:
        self.join(timeout=60)
        assert not self.is_alive()
        if self.error is not None:
            raise self.error
        return self.answer


@dataclass(frozen=True)
class Coming:
    """A release whose own delta was uploaded long ago and is due for pruning: signed, not yet committed."""

    feed: b.Feed
    roles: dict[str, bytes]
    row: StoredObject

    def commit(self) -> Job:
        return self.feed.publisher.submit(self.roles, if_match=self.feed.role_version)

    def prune(self) -> bool:
        return prune_object(self.row.pk, self.feed.row.pk, b.now())

    @property
    def path(self) -> Path:
        return Path(settings.HASHSHARE_OBJECTS) / self.feed.list_id / f"{self.row.digest}.{self.row.name}"


@pytest.fixture(params=["superseded", "never taken up"])
def coming(request: pytest.FixtureRequest, transactional_db: None) -> Coming:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    manifest = feed.next([b.upsert(b.entry())])
    roles = feed.signed(manifest)
    ref, then = manifest.segments[-1].object, b.now() - timedelta(days=15)
    rows = StoredObject.objects.filter(list=feed.row, digest=ref.sha256)
    rows.update(uploaded_at=then)
    if request.param == "superseded":
        rows.update(published_at=then, superseded_at=then)
    return Coming(feed, roles, rows.get())


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_comes_first_keeps_the_object(coming: Coming) -> None:
    with transaction.atomic():
        job = coming.commit()
        pruning = Meanwhile(coming.prune)
        assert pruning.waits()
    assert pruning.result() is False
    assert coming.path.is_file()
    assert prune_objects(now=b.now()) == 0
    assert b.worked(job).state == Job.State.DONE
    assert coming.prune() is False
    assert StoredObject.objects.get(pk=coming.row.pk).superseded_at is None


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_comes_second_is_told_at_once(coming: Coming) -> None:
    """And leaves nothing behind, so that the publisher's tool uploads the object and commits again."""
    body, jobs = coming.path.read_bytes(), Job.objects.count()
    with transaction.atomic():
        assert coming.prune() is True
        committing = Meanwhile(coming.commit)
        assert committing.waits()
    with pytest.raises(errors.MissingObject, match="delta-1-2"):
        committing.result()
    assert (Job.objects.count(), Commit.objects.filter(state="pending").count()) == (jobs, 0)
    coming.feed.put(f"{coming.feed.list_id}/{coming.row.name}", body)
    assert b.worked(coming.commit()).state == Job.State.DONE


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_crosses_with_pruning_arrives(coming: Coming) -> None:
    """Never a row without its bytes that counts as uploaded."""
    body, feed = coming.path.read_bytes(), coming.feed
    coming.path.unlink()
    arrived: list[Meanwhile] = []

    def chunks() -> Iterator[bytes]:
        yield body

    def upload() -> StoredObject:
        return store_object(
            caller=feed.publisher.caller,
            domain=feed.publisher.domain,
            list_id=feed.list_id,
            digest=coming.row.digest,
            name=coming.row.name,
            chunks=chunks(),
            now=b.now(),
        )

    StoredObject.objects.filter(pk=coming.row.pk).update(uploaded_at=b.now() - timedelta(days=15))
    with transaction.atomic():
        HashList.objects.select_for_update().get(pk=feed.row.pk)
        StoredObject.objects.select_for_update().get(pk=coming.row.pk)
        arrived.append(Meanwhile(upload))
        assert arrived[0].waits()
        coming.path.unlink(missing_ok=True)
        StoredObject.objects.filter(pk=coming.row.pk).delete()
    arrived[0].result()
    assert coming.path.read_bytes() == body
    assert b.worked(coming.commit()).state == Job.State.DONE


# --- records ---


def test_old_feed_metadata_goes_a_week_after_it_was_replaced() -> None:
    feed = b.feed(b.publisher())
    merged_twice(feed)
    start = b.now()
    refresh_timestamps(now=start)
    feeds = Metadata.objects.filter(role=feed.list_id)
    assert prune_records(now=start + timedelta(days=6))["feeds"] == 0
    assert sorted(feeds.values_list("version", flat=True)) == [1, 2, 3, 4]
    assert prune_records(now=start + timedelta(days=8))["feeds"] == 3
    assert list(feeds.values_list("version", flat=True)) == [4]
    assert Metadata.objects.filter(role="root").count() == 1
    assert prune_records(now=start + timedelta(days=999))["feeds"] == 0
    feed.publish(feed.next([b.upsert(b.entry())]))


def test_a_snapshot_never_names_feed_metadata_that_is_gone() -> None:
    feed = b.feed(b.publisher())
    merged_twice(feed)
    for day in range(12):
        now = b.now() + timedelta(days=day)
        refresh_timestamps(now=now)
        prune_records(now=now)
        for snapshot in Metadata.objects.filter(role="snapshot"):
            meta = json.loads(snapshot.content)["signed"]["meta"].get(f"{feed.list_id}.json")
            assert meta is None or Metadata.objects.filter(role=feed.list_id, version=meta["version"]).exists()


def test_bodies_of_decided_commits_go_and_their_rows_stay() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    pending = feed.submit(feed.next([b.upsert(b.entry())]))
    later = b.now() + timedelta(days=31)
    bodies = Commit.objects.exclude(job=pending).count()
    assert prune_records(now=later - timedelta(days=2))["bodies"] == 0
    assert prune_records(now=later)["bodies"] == bodies > 1
    released = Commit.objects.get(release__version=1)
    assert released.roles == {feed.list_id: ""}
    assert Commit.objects.get(job=pending).roles[feed.list_id]
    assert prune_records(now=later)["bodies"] == 0
    assert b.worked(pending).state == Job.State.DONE


def test_refreshes_go_with_their_jobs_and_releases_stay() -> None:
    feed = b.feed(b.publisher())
    feed.publish(feed.first([b.entry()]))
    assert feed.manifest is not None
    feed.publish(feed.manifest)
    refreshed = Commit.objects.get(list=feed.row, release=None)
    assert refreshed.state == Commit.State.ACCEPTED
    later = b.now() + timedelta(days=91)
    assert prune_records(now=later - timedelta(days=2))["commits"] == 0
    assert (found := prune_records(now=later))["commits"] == 1
    assert found["jobs"] == 1
    assert not Job.objects.filter(pk=refreshed.job_id).exists()
    assert Job.objects.get(commit__release__list=feed.row).state == Job.State.DONE
    assert Commit.objects.filter(list=None).count() == 2
    assert HashList.objects.get(pk=feed.row.pk).role_version == 2
    feed.publish(feed.next([b.upsert(b.entry())]))
