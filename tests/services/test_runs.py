"""Each run of the timetable's jobs is on record: a failing one says so and stops no other."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command

from config.celery import JOBS
from hashshare import tasks
from hashshare.models import JobRun
from hashshare.selectors.runs import job_states
from hashshare.services import jobs, runs, timestamps
from hashshare.services.runs import recorded, spared
from hashshare.timetable import TIMETABLE
from tests import builders as b

pytestmark = pytest.mark.django_db


def state(name: str, *, after: timedelta = timedelta(0)) -> str:
    (found,) = [each.state for each in job_states(now=b.now() + after) if each.job.name == name]
    return found


@pytest.mark.parametrize("job", TIMETABLE, ids=lambda job: job.name)
def test_every_job_runs_from_its_task_and_is_on_record(job: Any) -> None:
    task = getattr(tasks, job.name)
    assert task.name == f"hashshare.tasks.{job.name}"
    assert state(job.name) == "not yet"
    for _ in range(2):
        task()
    (row,) = JobRun.objects.all()
    assert (row.name, row.failed_at, row.error) == (job.name, None, "")
    assert row.finished_at is not None
    assert row.started_at <= row.finished_at
    assert state(job.name) == "on time"


def test_a_job_is_late_when_its_last_whole_run_is_too_long_ago() -> None:
    tasks.sweep_jobs()
    [late] = [job for job in TIMETABLE if job.name == "sweep_jobs"]
    assert state("sweep_jobs", after=late.late - timedelta(seconds=5)) == "on time"
    assert state("sweep_jobs", after=late.late + timedelta(seconds=5)) == "late"


def test_a_job_that_an_operator_has_run_less_often_is_late_later(settings: Any) -> None:
    tasks.sweep_jobs()
    schedule = settings.CELERY_BEAT_SCHEDULE
    settings.CELERY_BEAT_SCHEDULE = {**schedule, "sweep_jobs": {**schedule["sweep_jobs"], "schedule": 600.0}}
    assert state("sweep_jobs", after=timedelta(minutes=25)) == "on time"
    assert state("sweep_jobs", after=timedelta(minutes=31)) == "late"


def test_a_job_that_fails_says_so_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, now: datetime) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "sweep_jobs", broken)
        with pytest.raises(OSError, match="No space left"):
            tasks.sweep_jobs()
    tasks.prune_nonces()
    row = JobRun.objects.get(name="sweep_jobs")
    assert (row.finished_at, row.error) == (None, "OSError: [Errno 28] No space left on device")
    assert (state("sweep_jobs"), state("prune_nonces")) == ("failed", "on time")
    tasks.sweep_jobs()
    assert state("sweep_jobs") == "on time"
    assert JobRun.objects.get(name="sweep_jobs").error.startswith("OSError")  # for the record


def test_what_fails_in_part_does_the_rest_and_counts_as_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, domain in (("Aurora", "aurora.example"), ("Borealis", "borealis.example")):
        b.publisher(name, domain)
    tried, refresh = list[object](), timestamps.refresh_publisher

    def first_broken(publisher_id: Any, now: datetime) -> None:
        tried.append(publisher_id)
        if len(tried) == 1:
            raise ValueError("the key is not there\nand more that is long")
        refresh(publisher_id, now)

    monkeypatch.setattr(timestamps, "refresh_publisher", first_broken)
    tasks.refresh_timestamps()
    assert len(tried) == 2
    row = JobRun.objects.get(name="refresh_timestamps")
    assert row.error == f"Publisher {tried[0]} could not be signed again. ValueError: the key is not there"
    assert (row.finished_at, state("refresh_timestamps")) == (None, "failed")
    assert "and more that is long" in caplog.text


def test_a_run_that_is_killed_leaves_it_started() -> None:
    with pytest.raises(SystemExit), recorded("sweep_jobs"):
        raise SystemExit
    row = JobRun.objects.get()
    assert (row.finished_at, row.failed_at) == (None, None)
    assert state("sweep_jobs") == "running"
    assert state("sweep_jobs", after=timedelta(hours=1)) == "late"


def test_the_record_never_hides_why_a_job_failed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = runs.note

    def note(name: str, column: str, **more: str) -> None:
        if column == "failed_at":
            raise OSError("the database is away")
        kept(name, column, **more)

    monkeypatch.setattr(runs, "note", note)
    with caplog.at_level(logging.ERROR), pytest.raises(KeyError), recorded("sweep_jobs"):
        raise KeyError("first")
    assert "could not be noted that sweep_jobs failed" in caplog.text


def test_outside_of_a_run_nothing_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    with spared("%s went wrong.", "This"):
        raise ValueError("so")
    assert "This went wrong." in caplog.text
    assert not JobRun.objects.exists()


def test_a_terminal_shows_the_same_and_tells_a_watcher_by_its_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as nothing_ran:
        call_command("timetable")
    assert nothing_ran.value.code == 1
    JobRun.objects.bulk_create(JobRun(name=job.name, started_at=b.now(), finished_at=b.now()) for job in JOBS)
    capsys.readouterr()
    call_command("timetable")
    assert [text.split()[:3] for text in capsys.readouterr().out.splitlines()] == [
        [job.name, "on", "time"] for job in JOBS
    ]
    JobRun.objects.filter(name="seal_logs").update(failed_at=b.now(), error="OSError: No space left on device")
    with pytest.raises(SystemExit):
        call_command("timetable")
    assert re.search(r"seal_logs +failed +[0-9TZ:-]+  OSError: No space left on device", capsys.readouterr().out)
