"""The page *Timetable*, for operators: every job that runs by itself, when it last did, and what is late or failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.selectors.recovery import is_restored
from hashshare.selectors.runs import JobState, job_states


def timetable(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.is_operator(request):
            raise PermissionDenied
        now = timezone.now()
        states = job_states(now=now)
        context = {
            **site.each_context(request),
            "title": "Timetable",
            "lines": [_line(state, now) for state in states],
            "never": not any(state.run for state in states),
            "restored": is_restored(),
            "summary": summary(states),
            "as_of": now,
        }
        return TemplateResponse(request, "hashshare/timetable.html", context)

    return view


def summary(states: list[JobState]) -> str:
    """Such as: 12 jobs: 10 on time, 1 late, 1 failed."""
    counts = Counter(state.state for state in states)
    return f"{len(states)} jobs: {', '.join(f'{number} {word}' for word, number in counts.most_common())}"


def _line(state: JobState, now: datetime) -> dict[str, Any]:
    finished = state.run.finished_at if state.run else None
    return {
        "job": state.job,
        "run": state.run,
        "state": state.state,
        "every": state.job.every.total_seconds(),
        "late": state.job.late.total_seconds(),
        "ago": (now - finished).total_seconds() if finished else None,
    }
