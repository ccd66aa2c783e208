"""The database is the queue: one attempt holds a job, a silent worker loses it, and nothing is done twice."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from hashshare.models import Commit, Job, Metadata, Release
from hashshare.services import jobs, work
from hashshare.services.jobs import LostClaim, claim_job, create_job, finish_job, heartbeat, sweep_jobs
from hashshare.services.verification import verify_content
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """Jobs that the broker was told of."""
    found: list[uuid.UUID] = []
    monkeypatch.setattr(jobs, "send", lambda job: found.append(job.pk))
    return found


def job(**changes: Any) -> Job:
    made = create_job(kind=Job.Kind.VERIFY_RELEASE, organisation=None, target=None, now=b.now())
    Job.objects.filter(pk=made.pk).update(**changes)
    return made


def claimed(made: Job, after: timedelta = timedelta()) -> jobs.Claim | None:
    return claim_job(job_id=made.pk, worker="worker@one", task_id="t", now=b.now() + after)


def test_it_gives_a_job_to_one_worker() -> None:
    made = job()
    assert claimed(made) is not None
    assert claimed(made) is None


def test_it_gives_a_job_to_another_when_the_lease_runs_out() -> None:
    made = job()
    first, second = claimed(made), claimed(made, timedelta(seconds=61))
    assert first is not None and second is not None
    assert second.job.attempts == 2
    with pytest.raises(LostClaim):
        first.progress(1, 2, "still here")
    with pytest.raises(LostClaim):
        first.lock()
    with pytest.raises(LostClaim):
        finish_job(claim=first, now=b.now(), result={}, problem=None)
    finish_job(claim=second, now=b.now(), result={}, problem=None)
    assert claimed(made, timedelta(days=1)) is None


def test_it_sends_again_what_waits_too_long(sent: list[uuid.UUID]) -> None:
    waiting, fresh = job(sent_at=b.now() - timedelta(minutes=1)), job()
    assert sweep_jobs(now=b.now()) == 1
    assert sent == [waiting.pk]
    assert sweep_jobs(now=b.now()) == 0
    assert sweep_jobs(now=b.now() + timedelta(minutes=1)) == 2
    assert set(sent) == {waiting.pk, fresh.pk}


def test_it_sends_again_what_a_silent_worker_held(sent: list[uuid.UUID]) -> None:
    made = job()
    claimed(made)
    assert sweep_jobs(now=b.now() + timedelta(seconds=59)) == 0
    assert sweep_jobs(now=b.now() + timedelta(seconds=61)) == 1
    assert sent == [made.pk]


def test_it_leaves_finished_jobs_alone(sent: list[uuid.UUID]) -> None:
    claim = claimed(job())
    assert claim is not None
    finish_job(claim=claim, now=b.now(), result={}, problem=None)
    assert sweep_jobs(now=b.now() + timedelta(days=1)) == 0
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_it_keeps_the_lease_while_the_worker_lives() -> None:
    made = job()
    with override_settings(HASHSHARE_JOB_LEASE=1):
        claim = claimed(made)
        assert claim is not None
        with heartbeat(claim):
            time.sleep(1.6)
            assert claimed(made) is None
        time.sleep(1.1)
        assert claimed(made) is not None


def test_it_does_the_work_once_however_often_the_message_comes() -> None:
    feed = b.feed(b.publisher())
    made = b.worked(feed.submit(feed.first([b.entry()])))
    versions = Metadata.objects.filter(role="snapshot").count()
    b.worked(made)
    assert Metadata.objects.filter(role="snapshot").count() == versions
    assert Release.objects.get().state == "published"


def test_it_publishes_nothing_when_the_claim_was_lost_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))
    content = verify_content

    def slow(**options: Any) -> Any:
        found = content(**options)
        assert claim_job(job_id=made.pk, worker="other", task_id="", now=b.now() + timedelta(hours=1))
        return found

    monkeypatch.setattr(work, "verify_content", slow)
    b.worked(made)
    feed.row.refresh_from_db()
    assert (made.state, made.worker, feed.row.version) == ("running", "other", 0)


def test_it_tries_again_after_trouble_of_its_own_and_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))

    def full(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(work, "verify_content", full)
    states = [b.worked(made).state for _ in range(work.MAX_FAILURES)]
    assert states == ["queued"] * (work.MAX_FAILURES - 1) + ["failed"]
    assert Commit.objects.get(job=made).state == "rejected"
    assert Release.objects.get().state == "rejected"
    assert "device" not in str(made.problem), "the hub's own trouble is not told to publishers"


def test_it_publishes_after_trouble_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))
    with monkeypatch.context() as patched:
        patched.setattr(work, "verify_content", lambda **_: 1 / 0)
        assert b.worked(made).state == "queued"
    assert b.worked(made).state == "done"


def test_it_rejects_a_commit_that_kills_every_worker() -> None:
    feed = b.feed(b.publisher())
    made = feed.submit(feed.first([b.entry()]))
    Job.objects.filter(pk=made.pk).update(attempts=jobs.MAX_ATTEMPTS)
    assert b.worked(made).state == "failed"
    assert "its worker ended before it was done" in str(made.problem)
    assert Release.objects.get().state == "rejected"
