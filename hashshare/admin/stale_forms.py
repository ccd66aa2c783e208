"""The answer to a form whose token against forgery does not fit: most often a page from before a sign-in."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger(__name__)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, in plain words, without saying what exactly was wrong with the token."""
    logger.info("A form for %s was refused: %s", request.path, reason)
    frame = {"title": "This form is out of date", "site_header": "hashshare", "site_title": "hashshare"}
    return render(request, "hashshare/doors/stale_form.html", frame, status=403)
