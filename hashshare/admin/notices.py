"""What stands on top of the overview: what needs somebody today, in a sentence with a way to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.urls import reverse

from hashshare.admin import roles
from hashshare.selectors.expiring import Expiring, expiring, urgent_signatures
from hashshare.selectors.recovery import awaited_publishers, is_restored
from hashshare.selectors.runs import JobState, job_states
from hashshare.selectors.troubles import (
    JobTroubles,
    OldRequests,
    Overdue,
    job_troubles,
    old_requests,
    overdue_members,
)

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
        found += _of_work(job_troubles(now=now))
    if roles.sees_expiring(request):
        of = roles.own_organisation(request)
        rows = urgent_signatures(of=of, now=now, until=now + AHEAD, limit=COUNTED)
        found += _of_signatures(rows, now)
        found += _of_keys(
            expiring(of=of, now=now, until=now + AHEAD, sources=("key", "access_key"), limit=COUNTED), now
        )
        found += _of_overdue(overdue_members(of=of, now=now, limit=COUNTED), request)
    if roles.sees_propagation(request):
        found += _of_requests(old_requests(of=roles.own_organisation(request), now=now), request)
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


def _of_work(found: JobTroubles) -> Iterator[Notice]:
    table = reverse("admin:hashshare_job_changelist")
    if found.failed:
        text = f"{_number(found.failed, 'job')} failed through trouble of this hub's own in the last week."
        yield Notice(text, f"{table}?state__exact=failed", grave=True)
    if found.waiting:
        text = f"{_number(found.waiting, 'job')} waited for a worker for more than ten minutes."
        yield Notice(text, f"{table}?state__exact=queued", grave=True)


def _of_keys(rows: list[Expiring], now: datetime) -> Iterator[Notice]:
    """In force until now; what has ended is nobody's trouble any more."""
    for kind, noun in (("key", "key"), ("access_key", "access key")):
        ending = [each for each in rows if each.kind == kind and each.ends > now]
        if ending:
            verb = "ends" if len(ending) == 1 else "end"
            text = f"{_number(len(ending), noun)} {verb} within {AHEAD.days} days: {_whose(ending)}."
            yield Notice(text, f"{reverse('admin:expiring')}?kind={kind}", grave=False)


def _whose(rows: list[Expiring]) -> str:
    first = ", ".join(f"{each.what} ({each.whose.name})" if each.whose else each.what for each in rows[:3])
    return first if len(rows) <= 3 else f"{first} and {len(rows) - 3} more"


def _of_overdue(rows: list[Overdue], request: HttpRequest) -> Iterator[Notice]:
    if not rows:
        return
    named = ", ".join(f"{each.organisation} ({each.list_name})" for each in rows[:3])
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    text = f"Withdrawals are overdue at {named}{more}."
    page = "propagation" if roles.sees_propagation(request) else "member-desk"
    yield Notice(text, reverse(f"admin:{page}"), grave=True)


def _of_requests(found: OldRequests, request: HttpRequest) -> Iterator[Notice]:
    if found.number and found.since:
        one = found.number == 1
        text = (
            f"{_number(found.number, 'request')} for a list {'waits' if one else 'wait'} for a decision"
            f" {'since' if one else 'since as long ago as'} {found.since:%Y-%m-%d}."
        )
        table = f"{reverse('admin:hashshare_subscription_changelist')}?state__exact=requested"
        address = reverse("admin:queues") if roles.is_operator(request) else table
        yield Notice(text, address, grave=False)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


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
