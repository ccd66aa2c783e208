"""The page *What expires next*: everything with an end date in one table, soonest first, with who renews it and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.choices import asked_for, choices
from hashshare.selectors.expiring import SOURCES, Expiring, expiring

MOST: Final = 50
"""Rows on the page."""

FOREVER: Final = datetime.max.replace(tzinfo=UTC)

PERIODS: Final = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year", "all": "All"}
DEFAULT_PERIOD: Final = "90"

KINDS: Final = {
    "signature": "Signatures",
    "subscription": "Subscriptions",
    "key": "Keys",
    "access_key": "Access keys",
    "invitation": "Invitations",
}
"""By source, in the order of the filter."""

WORDS: Final = {
    "feed": "Feed signature",
    "targets": "Signature of targets",
    "root": "Signature of the root",
    "major": "Signature of majors",
    "snapshot": "Hub's snapshot",
    "timestamp": "Hub's timestamp",
    "subscription": "Subscription",
    "key": "Organisation key",
    "access_key": "Access key",
    "invitation": "Invitation",
}

RENEWED: Final = {
    "feed": "nightly publish or publisher refresh",
    "targets": "publisher renew",
    "root": "publisher renew",
    "major": "with the next large loss",
    "snapshot": "by itself",
    "timestamp": "by itself, hourly",
    "subscription": "grant, with a later date",
    "key": "a new key in its place",
    "access_key": "a new access key",
    "invitation": "a new invitation",
}
"""How: a `hashshare` command where it is one. What is replaced rather than renewed says so."""

BY_OFFICERS: Final = frozenset({"targets", "root", "major"})


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table in people's words; `left` are seconds, none when it is over."""

    it: Expiring
    kind: str
    state: str
    left: float | None
    how: str
    by: str
    address: str


def what_expires_next(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_expiring(request):
            raise PermissionDenied
        context = {**site.each_context(request), **_context(request)}
        return TemplateResponse(request, "hashshare/expiring.html", context)

    return view


def _context(request: HttpRequest) -> dict[str, Any]:
    now, kind = timezone.now(), asked_for(request, "kind", KINDS)
    days = asked_for(request, "days", PERIODS) or DEFAULT_PERIOD
    until = FOREVER if days == "all" else now + timedelta(days=int(days))
    found = expiring(
        of=roles.own_organisation(request),
        now=now,
        until=until,
        sources=(kind,) if kind else SOURCES,
        limit=MOST + 1,
    )
    return {
        "title": "What expires next",
        "lines": [_line(each, now, linked=_linked(request, each)) for each in found[:MOST]],
        "more": len(found) > MOST,
        "periods": choices(PERIODS, days, "days", {"kind": kind}),
        "kinds": choices({"": "Everything", **KINDS}, kind, "kind", {"days": days}),
        "narrowed": bool(kind) or days != "all",
        "everything": f"?{urlencode({'days': 'all'})}",
        "is_operator": roles.is_operator(request),
        "as_of": now,
    }


def _linked(request: HttpRequest, it: Expiring) -> bool:
    """Whether the person may open the row: the table of invitations is the operators' alone."""
    return it.row is not None and (roles.is_operator(request) or it.kind != "invitation")


def _line(it: Expiring, now: datetime, *, linked: bool) -> Line:
    left = (it.ends - now).total_seconds()
    state = "overdue" if left <= 0 else "soon" if it.urgent else "in time"
    address = reverse(f"admin:hashshare_{it.row[0]}_change", args=[it.row[1]]) if linked and it.row else ""
    how = "by itself" if it.hosted else RENEWED[it.kind]
    return Line(it, WORDS[it.kind], state, left if left > 0 else None, how, _by(it), address)


def _by(it: Expiring) -> str:
    """Who has to do it."""
    if it.granted_by is not None:
        return it.granted_by.name
    if it.hosted:
        return "this hub"
    if it.kind == "invitation" or it.whose is None:
        return "operators" if it.kind == "invitation" else "this hub"
    return f"{it.whose.name}'s officers" if it.kind in BY_OFFICERS else it.whose.name
