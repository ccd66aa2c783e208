"""Trying a job again: what failed through the hub's own trouble is begun anew, what a hotline got wrong is not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hashshare.models import Commit, Job, Release
from hashshare.services import work
from hashshare.services.retrying import may_retry, retry_job
from hashshare.wire import errors
from tests import builders as b
from tests.admin.addresses import deed, page
from tests.admin.cast import browser, person

pytestmark = pytest.mark.django_db


def failed(feed: b.Feed, monkeypatch: pytest.MonkeyPatch) -> Job:
    """As on a full disk."""

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    job = feed.submit(feed.first([b.entry()]))
    with monkeypatch.context() as patched:
        patched.setattr(work, "verify_content", full)
        for _ in range(work.MAX_FAILURES):
            b.worked(job)
    assert job.state == "failed"
    return job


def test_a_job_that_failed_through_the_hub_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    job = failed(feed, monkeypatch)
    assert Release.objects.get().state == "rejected"
    again = retry_job(job=job, now=b.now())
    assert (again.state, again.attempts, again.problem) == ("queued", 0, None)
    assert (Commit.objects.get(job=job).state, Release.objects.get().state) == ("pending", "verifying")
    assert b.worked(again).state == "done"
    feed.row.refresh_from_db()
    assert feed.row.version == 1


def test_a_double_click_begins_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    job = failed(b.feed(b.publisher()), monkeypatch)
    b.worked(retry_job(job=job, now=b.now()))
    with pytest.raises(errors.Conflict):
        retry_job(job=job, now=b.now())


def test_what_was_published_since_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    job = failed(feed, monkeypatch)
    feed.publish(feed.first([b.entry()]))
    assert b.worked(retry_job(job=job, now=b.now())).state == "failed"
    feed.row.refresh_from_db()
    assert (feed.row.version, Release.objects.filter(state="published").count()) == (1, 1)


def test_while_another_commit_waits_it_is_refused_and_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b.feed(b.publisher())
    job = failed(feed, monkeypatch)
    feed.submit(feed.first([b.entry()]))
    with pytest.raises(errors.Conflict, match="Another commit"):
        retry_job(job=job, now=b.now())
    job.refresh_from_db()
    assert job.state == "failed"


def test_what_a_hotline_got_wrong_stays_rejected() -> None:
    feed = b.feed(b.publisher())
    job = b.worked(feed.submit(feed.first([b.entry(key=hashlib.sha256(b"").digest())])))
    assert job.state == "failed"
    assert not may_retry(job)
    with pytest.raises(errors.Conflict):
        retry_job(job=job, now=b.now())


def test_operators_alone_try_again_from_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    feed = b.feed(b.publisher())
    job = failed(feed, monkeypatch)
    hotline = browser(person("engineer", feed.publisher.party.organisation))
    assert deed(job, "retry") not in hotline.get(page(job)).content.decode()
    assert hotline.post(deed(job, "retry")).status_code == 403
    operator = browser(person("operator"))
    assert deed(job, "retry") in operator.get(page(job)).content.decode()
    assert "begun anew" in operator.get(deed(job, "retry")).content.decode()
    assert "is queued" in operator.post(deed(job, "retry"), follow=True).content.decode()


def test_progress_is_a_bar_with_its_words() -> None:
    feed = b.feed(b.publisher())
    job = feed.submit(feed.first([b.entry()]))
    Job.objects.filter(pk=job.pk).update(progress_done=3, progress_total=8, progress_message="Checking")
    text = browser(person("operator")).get("/admin/hashshare/job/?state__exact=queued").content.decode()
    assert '<progress value="3" max="8"' in text
    assert "3 of 8 Checking" in text
