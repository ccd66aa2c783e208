"""The timetable in code is what beat sends, what the tasks do, and what the manual says."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings

from config.celery import JOBS, app, route
from hashshare.admin.marks import duration
from hashshare.timetable import Planned

MANUAL = Path(__file__).parents[2] / "docs/operations.md"
HEAD = "| job | every | late after | what it does | how to see that it works | when it did not run |"


def manual_row(job: Planned) -> str:
    times = [duration(span.total_seconds()) for span in (job.every, job.late)]
    return f"| `{job.name}` | {' | '.join([*times, job.does, job.seen, job.missed])} |"


def test_the_manual_has_every_job_in_the_words_of_the_code() -> None:
    lines = MANUAL.read_text().splitlines()
    start = lines.index(HEAD)
    table = lines[start + 2 : start + 2 + len(JOBS)]
    assert table == [manual_row(job) for job in JOBS], "\n".join(manual_row(job) for job in JOBS)
    assert not lines[start + 2 + len(JOBS)].startswith("|")


def test_beat_sends_every_job_to_the_timetables_own_queue() -> None:
    schedule = app.conf.beat_schedule
    assert set(schedule) == {job.name for job in JOBS}
    for job in JOBS:
        entry = schedule[job.name]
        assert entry["schedule"] == entry["options"]["expires"] == job.every.total_seconds()
        assert entry["task"] == getattr(import_module(job.module), job.name).name
        assert route(entry["task"]) == {"queue": settings.HASHSHARE_TIMETABLE_QUEUE}
    assert route("hashshare.tasks.verify_release") is None


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_is_late_only_after_it_could_have_run_again(job: Planned) -> None:
    assert job.late >= 2 * job.every
    assert job.does.endswith(".") and job.seen.endswith(".") and job.missed.endswith(".")
    assert job.late >= timedelta(minutes=2)
    assert not set("|\n") & set(job.does + job.seen + job.missed)
