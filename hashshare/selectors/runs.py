"""How the timetable's jobs are doing, by the record of their runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings

from hashshare.extensions import extensions
from hashshare.models import JobRun
from hashshare.timetable import TIMETABLE, Planned

State = Literal["on time", "running", "late", "failed", "not yet"]


@dataclass(frozen=True, slots=True)
class JobState:
    """A job of the timetable and its last runs; `run` is None before the first."""

    job: Planned
    run: JobRun | None
    state: State

    @property
    def needs_a_look(self) -> bool:
        return self.state in {"late", "failed"}


def job_states(*, now: datetime) -> list[JobState]:
    """Every job in the timetable's order."""
    runs = {run.name: run for run in JobRun.objects.all()}
    return [JobState(job, run := runs.get(job.name), state_of(job, run, now)) for job in timetable()]


def timetable() -> list[Planned]:
    """As this hub keeps it: HASHSHARE_TIMETABLE may have jobs run at other times."""
    schedule = settings.CELERY_BEAT_SCHEDULE
    jobs = [*TIMETABLE, *(job for extension in extensions() for job in extension.planned)]
    return [job.running_every(timedelta(seconds=schedule[job.name]["schedule"])) for job in jobs]


def state_of(job: Planned, run: JobRun | None, now: datetime) -> State:
    """`late` before `failed`: a job that fails at every run is both, and that nothing was done is the graver.

    One that was never whole is late by its start.
    """
    if run is None:
        return "not yet"
    if job.is_late(run.finished_at or run.started_at, now=now):
        return "late"
    ended = max((moment for moment in (run.finished_at, run.failed_at) if moment), default=None)
    if ended is None or run.started_at > ended:
        return "running"
    return "failed" if run.failed_at == ended else "on time"
