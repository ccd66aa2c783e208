"""A hub that was restored from a backup takes no change, at either of its doors, until its operator has run
`manage.py recover`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from hashshare.api.problems import plain_problem, told_once
from hashshare.selectors.recovery import refuse_restored
from hashshare.wire.errors import HubRestored

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
MACHINES: Final = ("/api/", "/witness/")
"""Where programs ask; elsewhere people read the answer."""

TOKENS: Final = "/api/v1/tokens"
"""Needed to read: it remembers a nonce, and changes nothing that anybody sees."""

SESSIONS: Final = ("/admin/login/", "/admin/login/code/", "/admin/logout/")


class ReadOnlyWhileRestored:
    """Middleware in front of everything that could change a row."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE or request.path == TOKENS or request.path in SESSIONS:
            return self._get_response(request)
        try:
            refuse_restored()
        except HubRestored as error:
            return refusal(request, error)
        return self._get_response(request)


def refusal(request: HttpRequest, error: HubRestored) -> HttpResponse:
    if request.path.startswith(MACHINES):
        return plain_problem(error)
    return told_once(HttpResponse(render_to_string("restored.html"), status=error.status))
