"""The operator's page *Waiting for a decision*: requests, uploads and commitments by age, with who has to decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.selectors.queues import waiting

MOST: Final = 50
"""Rows on the page."""

LONG: Final = timedelta(days=7)
"""A wait that somebody should ask about."""

WORDS: Final = {
    "subscription": "Request for a list",
    "upload": "Upload to be approved",
    "commitment": "Commitment to be reviewed",
}


def decisions(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.is_operator(request):
            raise PermissionDenied
        now, found = timezone.now(), waiting(limit=MOST + 1)
        lines = [
            {
                "it": each,
                "kind": WORDS[each.kind],
                "waits": (now - each.since).total_seconds(),
                "long": now - each.since > LONG,
                "address": reverse(f"admin:hashshare_{each.row[0]}_change", args=[each.row[1]]),
            }
            for each in found[:MOST]
        ]
        context = {"title": "Waiting for a decision", "lines": lines, "more": len(found) > MOST, "as_of": now}
        return TemplateResponse(request, "hashshare/queues.html", {**site.each_context(request), **context})

    return view
