"""What stands on top of the overview: what needs somebody today, in a sentence with a way to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from hashshare.admin import roles
from hashshare.selectors.expiring import Expiring, urgent_signatures
from hashshare.selectors.recovery import awaited_publishers, is_restored
from hashshare.selectors.runs import JobState, job_states

AHEAD: Final = timedelta(days=8)
"""No step is urgent earlier than a week before the end."""

COUNTED: Final = 1_000
"""More are not told apart: the page has them all."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`grave`: something is over or broken, not only near."""

    text: str
    address: str
    grave: bool


def notices(request: HttpRequest, *, now: datetime) -> list[Notice]:
    """None for who sees neither page."""
    found = list[Notice]()
    if roles.is_operator(request):
        found += _of_a_restore()
        found += _of_jobs(job_states(now=now))
    if roles.sees_expiring(request):
        rows = urgent_signatures(of=roles.own_organisation(request), now=now, until=now + AHEAD, limit=COUNTED)
        found += _of_signatures(rows, now)
    return found


def _of_a_restore() -> Iterator[Notice]:
    """From a restore until all that was served before it is here again."""
    if is_restored():
        text = "This hub was restored from a backup: nothing is changed, signed or done until manage.py recover."
        yield Notice(text, reverse("admin:timetable"), grave=True)
    elif awaited := awaited_publishers():
        names = ", ".join(publisher.domain for publisher in awaited)
        text = f"This hub was restored from a backup and waits for {names} to send what it may lack."
        yield Notice(text, reverse("admin:hashshare_publisher_changelist"), grave=True)


def _of_jobs(states: list[JobState]) -> Iterator[Notice]:
    address = reverse("admin:timetable")
    for word, says in (("late", "have not run for too long"), ("failed", "failed at the last run")):
        names = [each.job.name for each in states if each.state == word]
        if names:
            yield Notice(f"Jobs of the timetable {says}: {', '.join(names)}.", address, grave=True)


def _of_signatures(rows: list[Expiring], now: datetime) -> Iterator[Notice]:
    address = reverse("admin:expiring") + "?kind=signature"
    over = [each for each in rows if each.ends <= now]
    near = [each for each in rows if each.ends > now]
    if over:
        yield Notice(
            f"{_count(over)} {'has' if len(over) == 1 else 'have'} expired: {_names(over)}.", address, grave=True
        )
    if near:
        yield Notice(
            f"{_count(near)} {'is' if len(near) == 1 else 'are'} about to expire: {_names(near)}.", address, grave=False
        )


def _count(rows: list[Expiring]) -> str:
    return "1 signature" if len(rows) == 1 else f"{len(rows)} signatures"


def _names(rows: list[Expiring]) -> str:
    first = ", ".join(each.what for each in rows[:3])
    return first if len(rows) <= 3 else f"{first} and {len(rows) - 3} more"
