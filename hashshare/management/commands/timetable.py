"""`manage.py timetable`: when each job that runs by itself last did, for a terminal or a program that watches."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from hashshare.selectors.runs import JobState, job_states


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Show when each job of the timetable last ran; exit with 1 if one is late or failed, or none ever ran."

    def handle(self, *args: Any, **options: Any) -> None:
        states = job_states(now=timezone.now())
        for state in states:
            self.stdout.write(line(state))
        if any(state.needs_a_look for state in states) or not any(state.run for state in states):
            raise SystemExit(1)


def line(state: JobState) -> str:
    """Name, state, the last whole run (UTC), and the error of the last run if that failed."""
    run = state.run
    finished = f"{run.finished_at:%Y-%m-%dT%H:%M:%SZ}" if run and run.finished_at else "-"
    failed = run is not None and run.failed_at is not None and (not run.finished_at or run.failed_at > run.finished_at)
    return f"{state.job.name:<20} {state.state:<8} {finished:<20}  {run.error if run and failed else ''}".rstrip()
