"""Sessions of people: begun only by password and second factor together, and ended by time, role or a new password."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, login
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from hashshare.selectors.people import VERIFIED, outlived

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
SEEN_EVERY: Final = timedelta(minutes=1)
"""How often it is written down that a session is in use: not at every request."""

WHY: Final = {
    "idle": "Your session ended after {minutes} minutes in which nothing was done.",
    "age": "Your session ended after {hours} hours, as each does.",
    "changed": "Your session ended: your role has changed.",
    "elsewhere": "Your session ended: your password was changed, or your account closed.",
    "unverified": "Sign in with your second factor.",
}


def begin_session(request: HttpRequest, person: Any, *, now: datetime) -> None:
    """Call it only for whoever has just proved both. The session gets a new key; what it kept before stays in it."""
    login(request, person, backend=BACKEND)
    request.session[VERIFIED] = verified(person, now=now)


def verified(person: Any, *, now: datetime) -> dict[str, Any]:
    """What a session remembers of how it began. Role and organisation are in it because rights follow from them."""
    return {"at": now.timestamp(), "seen": now.timestamp(), "rights": rights(person)}


def rights(person: Any) -> str:
    return f"{person.role} {person.organisation_id or ''}"


def is_verified(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated) and VERIFIED in request.session


def why_ended(session: Mapping[str, Any], person: Any, *, now: datetime) -> str:
    """A word of WHY, or none while the session of a signed-in person goes on."""
    if not person.is_authenticated:
        return "elsewhere"
    kept = session.get(VERIFIED)
    if kept is None:
        return "unverified"
    if kept["rights"] != rights(person):
        return "changed"
    return outlived(kept, now=now)


class SessionsEnd:
    """Middleware: ends a session that is over before any page sees it, and says why. It remembers whose it was, so that
    a form which came too late waits for that person and nobody else (kept_forms).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Machines bring no cookie, and their answers shall not depend on one.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and (whose := request.session.get(SESSION_KEY)):
            self._end_or_go_on(request, str(whose), timezone.now())
        return self._get_response(request)

    def _end_or_go_on(self, request: HttpRequest, whose: str, now: datetime) -> None:
        why = why_ended(request.session, request.user, now=now)
        if why:
            request.session.flush()
            request.user = AnonymousUser()
            request.ended_for = whose  # type: ignore[attr-defined]
            said = WHY[why].format(minutes=settings.HASHSHARE_IDLE_MINUTES, hours=settings.HASHSHARE_SESSION_HOURS)
            messages.warning(request, said)
        elif now.timestamp() - request.session[VERIFIED]["seen"] >= SEEN_EVERY.total_seconds():
            request.session[VERIFIED] = {**request.session[VERIFIED], "seen": now.timestamp()}
