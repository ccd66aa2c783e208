"""The page behind a person's one-time link, an invitation or a reset: what it leads through, and the link dies.

Looking at the page changes nothing, so a mail scanner that follows links does not use it up.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from hashshare.admin.sessions import begin_session
from hashshare.admin.setting_up import AUTHENTICATOR, CODES, PASSWORD, Errand, door, set_up
from hashshare.services.deeds import note_deed
from hashshare.services.invitations import accept_person_invitation, open_person_invitation, person_link
from hashshare.services.people import Chosen
from hashshare.services.resets import accept_reset
from hashshare.wire.errors import InvitationInvalid

NOT_FOUND: Final = 404
STEPS: Final = {
    "": (PASSWORD, AUTHENTICATOR, CODES),
    "both": (PASSWORD, AUTHENTICATOR, CODES),
    "password": (PASSWORD,),
    "second factor": (AUTHENTICATOR, CODES),
}
"""By what a reset renews; an invitation asks for everything."""


@never_cache
@sensitive_post_parameters("password1", "password2", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest, code: str) -> HttpResponse:
    """Whoever has the link."""
    try:
        invitation = open_person_invitation(code=code, now=timezone.now())
        return set_up(request, errand(request, invitation, code))
    except InvitationInvalid:
        return dead_link(request, code)


def errand(request: HttpRequest, invitation: Any, code: str) -> Errand:
    def finish(chosen: Chosen) -> HttpResponse:
        return finished(request, invitation, code, chosen)

    return Errand(
        name=f"link {invitation.code_hash}",
        title=f"Set up your account: {invitation.email}" if invitation.email else "Set up your account",
        intro=intro(invitation),
        email=invitation.email,
        steps=STEPS[invitation.renews],
        finish=finish,
        asks_name=not invitation.renews,
    )


def intro(invitation: Any) -> str:
    until = f"The link works once, until {invitation.expires_at:%-d %B %Y %H:%M} UTC."
    if invitation.renews:
        return f"An operator has reset your {invitation.get_renews_display().lower()}. {until}"
    of = f" of {invitation.organisation.name}" if invitation.organisation else ""
    return f"You are invited as {invitation.get_role_display().lower()}{of}. {until}"


def finished(request: HttpRequest, invitation: Any, code: str, chosen: Chosen) -> HttpResponse:
    """Who has set both is signed in; who has set a password alone proves the second factor first."""
    now = timezone.now()
    with transaction.atomic():
        if invitation.renews:
            person, done = accept_reset(code=code, chosen=chosen, now=now), f"Set {invitation.renews} anew"
        else:
            person, done = accept_person_invitation(code=code, chosen=chosen, now=now), "Accept an invitation"
        note_deed(person=person, what=done, about=person, now=now)
    if not chosen.key or not chosen.password_hash:
        messages.success(request, "It is set. Sign in.")
        return HttpResponseRedirect(reverse("admin:login"))
    begin_session(request, person, now=now)
    messages.success(request, "Your account is set up, and you are signed in.")
    return HttpResponseRedirect(reverse("admin:index"))


def dead_link(request: HttpRequest, code: str) -> HttpResponse:
    """Used and expired links say so, to whoever has them; all others look alike."""
    found = person_link(code=code)
    context = {
        "title": "This link does not work",
        "used": found and found.used_at,
        "expired": found and not found.used_at,
    }
    return door(request, "hashshare/doors/dead_link.html", {**context, "link": found}, status=NOT_FOUND)
