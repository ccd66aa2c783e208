"""What a browser gets in place of a page that cannot be shown: what happened, what was kept, what to do next."""

from __future__ import annotations

import sys
from typing import Final

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

TOO_LARGE: Final = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
UNREACHABLE: Final = (OperationalError, InterfaceError)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 for a form that is larger than the hub takes."""
    if isinstance(exception, TOO_LARGE):
        return refused("413.html", status=413)
    return refused("400.html", status=400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused("403.html", status=403)


def no_such_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same for what is not there and for what this person may not know of."""
    return refused("404.html", status=404)


def fault(request: HttpRequest) -> HttpResponse:
    """500, or 503 when it is the database that does not answer."""
    if isinstance(sys.exc_info()[1], UNREACHABLE):
        return refused("503.html", status=503)
    return refused("500.html", status=500)


def refused(template: str, *, status: int) -> HttpResponse:
    """Nothing is read to make these pages, neither session nor tables: they have to work when those do not."""
    return HttpResponse(render_to_string(template, {"now": timezone.now()}), status=status)
