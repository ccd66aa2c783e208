"""What stands on top of the overview: what needs somebody today, in a sentence with a way to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.http import HttpRequest
from django.urls import reverse

from hashshare.admin import roles
from hashshare.extensions import extensions
from hashshare.selectors.expiring import Expiring, expiring, urgent_signatures
from hashshare.selectors.people import people_with_a_role_that_does_not_fit
from hashshare.selectors.queues import Queue, queue_lengths, requests_for, uploads_for
from hashshare.selectors.recovery import what_is_awaited
from hashshare.selectors.runs import JobState, job_states
from hashshare.selectors.troubles import (
    JobTroubles,
    Overdue,
    job_troubles,
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
    if roles.is_operator(request):
        found += _of_queues(queue_lengths())
        found += _of_roles(people_with_a_role_that_does_not_fit(limit=COUNTED))
    if roles.uploads(request):
        analyst = cast("Any", request.user)
        found += _of_uploads(uploads_for(analyst))
        found += _of_requests(requests_for(analyst.organisation_id))
    for extension in extensions():
        found += extension.notices(request, now)
    return found


def _of_a_restore() -> Iterator[Notice]:
    """From a restore until all that was served before it is here again."""
    restored, awaited = what_is_awaited()
    if restored:
        text = "This hub was restored from a backup: nothing is changed, signed or done until manage.py recover."
        yield Notice(text, reverse("admin:timetable"), grave=True)
    elif awaited:
        text = f"This hub waits for {', '.join(awaited)} to send what it may lack."
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


def _of_queues(found: dict[str, Queue]) -> Iterator[Notice]:
    """What the page *Waiting for a decision* lists, counted."""
    lengths = [(queue.number, NOUNS[kind]) for kind, queue in found.items() if queue.number]
    begun = [queue.since for queue in found.values() if queue.since]
    if lengths and begun:
        counted = ", ".join(_number(count, noun) for count, noun in lengths)
        text = f"Waiting for a decision, the first since {min(begun):%Y-%m-%d}: {counted}."
        yield Notice(text, reverse("admin:queues"), grave=False)


def _of_roles(people: list[Any]) -> Iterator[Notice]:
    if not people:
        return
    named = ", ".join(f"{each.email} ({each.get_role_display().lower()} of {each.organisation})" for each in people[:3])
    more = f" and {len(people) - 3} more" if len(people) > 3 else ""
    text = f"A role does not fit the organisation, and opens nothing until it is changed: {named}{more}."
    only = reverse("admin:hashshare_person_change", args=[people[0].pk]) if len(people) == 1 else ""
    yield Notice(text, only or reverse("admin:hashshare_person_changelist"), grave=False)


NOUNS: Final = {"subscription": "request@ for a list", "upload": "upload@", "commitment": "commitment@"}
"""With the place of the plural's letter."""


def _of_uploads(found: Queue) -> Iterator[Notice]:
    if found.since:
        verb = "waits" if found.number == 1 else "wait"
        text = f"{_number(found.number, 'upload@')} of your hotline {verb} for your approval{_since(found)}."
        yield Notice(text, reverse("admin:uploads"), grave=False)


def _of_requests(found: Queue) -> Iterator[Notice]:
    if found.since:
        verb = "waits" if found.number == 1 else "wait"
        text = f"{_number(found.number, 'request@ for a list')} {verb} for your decision{_since(found)}."
        table = reverse("admin:hashshare_subscription_changelist")
        yield Notice(text, f"{table}?state__exact=requested", grave=False)


def _since(found: Queue) -> str:
    return f"{' since' if found.number == 1 else ', the first since'} {found.since:%Y-%m-%d}"


def _number(count: int, noun: str) -> str:
    """`noun` with an @ where the plural's letter goes, else it goes last."""
    many = noun.replace("@", "s") if "@" in noun else f"{noun}s"
    return f"{count} {noun.replace('@', '')}" if count == 1 else f"{count} {many}"


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
