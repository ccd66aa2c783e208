"""The public page: what this hub is, who takes part, whether it works. For anybody, without signing in; no hash."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from hashshare.selectors.demonstration import is_demonstration
from hashshare.selectors.front import Front, front

FOR_FIVE_MINUTES: Final = "public, max-age=300"
KINDS: Final = {"hotlines": "hotline", "members": "member", "partners": "partner"}
WORDS: Final = {"hotlines": "Hotlines", "members": "Members", "partners": "Governments and partners"}


@require_safe
def public_page(request: HttpRequest) -> HttpResponse:
    """The same for everybody, so that caches may keep it: nothing in it is made from the request."""
    body = render_to_string("hashshare/front.html", page_of(front(now=timezone.now())))
    return HttpResponse(body, headers={"Cache-Control": FOR_FIVE_MINUTES})


def page_of(found: Front) -> dict[str, Any]:
    groups = [(WORDS[metric], [row for row in found.named if row.kind == kind]) for metric, kind in KINDS.items()]
    return {
        "title": found.name,
        "site_header": found.name,
        "front": found,
        "made_up": is_demonstration(),
        "counts": [(WORDS[metric], found.counts[metric]) for metric in KINDS if metric in found.counts],
        "groups": [(name, rows) for name, rows in groups if rows],
    }
