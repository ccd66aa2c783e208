"""The operator's page *Onboarding*: every organisation with how far it is, since when, and who does the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.choices import asked_for, choices
from hashshare.selectors.onboarding import Milestone, Onboarding, onboardings

ROWS: Final = 25
"""Organisations on one page."""

KINDS: Final = {"": "All", "hotline": "Hotlines", "member": "Members", "partner": "Partners", "hub": "Hubs"}
STATES: Final = {"": "On their way", "arrived": "Arrived", "all": "All"}

OPERATOR: Final = "you"
ITSELF: Final = "the organisation"

NEXT: Final[dict[str, tuple[str, str, str]]] = {
    "key enrolled": (ITSELF, "runs hashshare enroll with its code", "invite-key"),
    "people in": (OPERATOR, "invite a person", "invite-person"),
    "second factor": (ITSELF, "one of its people signs in and sets it up", ""),
    "root published": (ITSELF, "runs hashshare publisher init", ""),
    "first list": (ITSELF, "runs hashshare publisher list create", ""),
    "first release": (ITSELF, "publishes: hashshare publish, or an upload in the browser", ""),
    "first grant": (ITSELF, "grants a member's request: hashshare grant", ""),
    "list asked for": (ITSELF, "asks for a list: its desk here, or hashshare subscribe", ""),
    "list granted": ("the hotline", "decides on the request, and the member accepts the terms", ""),
    "first sync": (ITSELF, "runs hashshare sync", ""),
    "first applied": (ITSELF, "acknowledges what it applied: hashshare sync does it", ""),
}
"""By step: who does it, what that is, and the deed of the organisation's page that helps, if one does."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table. `waits` in seconds."""

    it: Onboarding
    who: str
    what: str
    deed: str
    waits: float | None


def onboarding(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.is_operator(request):
            raise PermissionDenied
        context = {**site.each_context(request), **_context(request)}
        return TemplateResponse(request, "hashshare/onboarding.html", context)

    return view


def _context(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    kind, state = asked_for(request, "kind", KINDS), asked_for(request, "state", STATES)
    every = onboardings(now=now, kind=kind)
    shown = [each for each in every if state == "all" or (each.next is None) == (state == "arrived")]
    shown.sort(key=lambda each: (each.next is None, each.since or now))
    page = Paginator(shown, ROWS).get_page(request.GET.get("page"))
    return {
        "title": "Onboarding",
        "lines": [_line(each, now) for each in page],
        "page": page,
        "pages": urlencode({name: text for name, text in (("kind", kind), ("state", state)) if text}),
        "total": len(every),
        "arrived": sum(each.next is None for each in every),
        "kinds": choices(KINDS, kind, "kind", {"state": state}),
        "states": choices(STATES, state, "state", {"kind": kind}),
        "as_of": now,
    }


def _line(each: Onboarding, now: datetime) -> Line:
    waits = (now - each.since).total_seconds() if each.since and each.next else None
    if each.next is None:
        return Line(each, "", "", "", None)
    who, what, deed = _next(each, each.next)
    address = reverse(f"admin:hashshare_organisation_{deed}", args=[each.organisation.pk]) if deed else ""
    return Line(each, who, what, address, waits)


def _next(each: Onboarding, step: Milestone) -> tuple[str, str, str]:
    """A code that ran out is the operator's to make anew."""
    who, what, deed = NEXT[step.name]
    if step.name == "key enrolled" and each.code_until is None:
        return OPERATOR, "make a new code: the old one ran out", deed
    if step.name == "key enrolled":
        return who, f"{what}, good until {each.code_until:%Y-%m-%d %H:%M} UTC", ""
    return who, what, deed
