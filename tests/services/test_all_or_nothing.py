"""A release is published in one transaction or not at all, whoever else publishes at that moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from kombu.exceptions import OperationalError

from hashshare.models import Commit, Job, Metadata, Release, StoredObject
from hashshare.services import jobs, publication
from hashshare.services.jobs import sweep_jobs
from hashshare.services.work import run_job
from hashshare.wire import errors
from tests import builders as b


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each gave or raised, run in threads with a database connection of their own."""
    results: list[Any] = [None] * len(deeds)
    start = threading.Barrier(len(deeds))

    def run(place: int, deed: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[place] = deed()
        except errors.HashshareError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("step", ["sign_snapshot_and_timestamp", "publish_objects", "close_release", "finish_job"])
@pytest.mark.django_db
def test_it_leaves_nothing_behind_when_it_breaks_off(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))
    metadata = list(Metadata.objects.values_list("pk", "sha256"))

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken off here")

    with monkeypatch.context() as patched:
        patched.setattr(publication, step, broken)
        assert b.worked(made).state == "queued"
    feed.row.refresh_from_db()
    assert (feed.row.version, feed.row.role_version, feed.row.manifest_digest) == (0, 0, "")
    assert list(Metadata.objects.values_list("pk", "sha256")) == metadata
    assert not StoredObject.objects.filter(published_at__isnull=False).exists()
    assert (Commit.objects.get(job=made).state, Release.objects.get().state) == ("pending", "verifying")
    assert b.worked(made).state == "done"


@pytest.mark.django_db(transaction=True)
def test_it_gives_two_lists_of_a_publisher_one_snapshot_after_the_other() -> None:
    aurora = b.publisher()
    images, video = b.feed(aurora), b.feed(aurora, "video")
    made = [feed.submit(feed.first([b.entry()])) for feed in (images, video)]
    before = Metadata.objects.filter(role="snapshot").count()
    at_once(*[lambda job=job: run_job(job_id=job.pk, worker="w", task_id="t") for job in made])
    assert set(Job.objects.filter(pk__in=[job.pk for job in made]).values_list("state", flat=True)) == {"done"}
    assert Metadata.objects.filter(role="snapshot").count() == before + 2
    newest = Metadata.objects.filter(role="snapshot").order_by("-version")[0]
    named = json.loads(newest.content)["signed"]["meta"]
    assert {f"{images.list_id}.json", f"{video.list_id}.json"} < set(named)


@pytest.mark.django_db(transaction=True)
def test_it_does_a_job_once_when_two_workers_get_the_message() -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))
    at_once(*[lambda: run_job(job_id=made.pk, worker="w", task_id="t")] * 2)
    made.refresh_from_db()
    assert (made.state, made.attempts) == ("done", 1)


@pytest.mark.django_db(transaction=True)
def test_it_takes_one_of_two_commits_that_come_at_once() -> None:
    feed = b.feed(b.publisher())
    both = [feed.signed(feed.first([b.entry()])) for _ in range(2)]
    answers = at_once(*[lambda roles=roles: feed.publisher.submit(roles, if_match=0) for roles in both])
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "Job"]
    assert Job.objects.filter(kind="verify_release").count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_accepts_a_commit_while_the_broker_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def down(*_: Any, **__: Any) -> None:
        raise OperationalError("connection refused")

    feed = b.feed(b.publisher())
    with monkeypatch.context() as patched:
        patched.setattr(current_app, "send_task", down)
        made = feed.submit(feed.first([b.entry()]))
    monkeypatch.setattr(jobs, "send", lambda job: sent.append(str(job.pk)))
    Job.objects.filter(pk=made.pk).update(sent_at=None)
    assert sweep_jobs(now=b.now()) == 1
    assert sent == [str(made.pk)]
