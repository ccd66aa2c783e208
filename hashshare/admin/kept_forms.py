"""A form that was sent after its session had ended: kept for the person who filled it in, and shown after the sign-in.

Nothing of it is done until that person sends it again. Passwords, codes and files are not kept.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from hashshare.wire.limits import MIB

KEPT: Final = "kept-form"
MOST: Final = 2 * MIB
"""Characters, of names and values. The longest form, 20,000 keys to be withdrawn, has about two thirds of that."""
SHOWN: Final = 2_000
"""Characters of a value on the page; the rest is kept, and sent with it."""
SECRET: Final = ("password", "old_password", "code", "csrfmiddlewaretoken")
"""Beginnings of the names of fields whose values are not kept."""


def keep_form(request: HttpRequest) -> None:
    """What was posted to a page of the admin by whoever was signed in until now; and say what became of it."""
    whose = getattr(request, "ended_for", "")
    fields = [(name, value) for name in request.POST for value in request.POST.getlist(name) if not is_secret(name)]
    if not whose:
        messages.warning(request, "What you sent was not done and could not be kept. Your browser's Back may have it.")
        return
    if sum(len(name) + len(value) for name, value in fields) > MOST:
        text = f"What you sent was not done. It is too long to be kept for you: {MOST // MIB} MiB at most."
        messages.warning(request, f"{text} Your browser's Back may have it.")
        return
    request.session[KEPT] = {"whose": whose, "path": request.get_full_path(), "fields": fields}
    lost = " Files are not: choose them again." if request.FILES else ""
    messages.warning(request, f"What you sent was not done, but is kept: sign in, and you can send it.{lost}")


def is_secret(name: str) -> bool:
    return name.startswith(SECRET)


def kept_form(request: HttpRequest) -> dict[str, Any] | None:
    """That of the person who is signed in now; what waited for somebody else is dropped."""
    kept: dict[str, Any] | None = request.session.get(KEPT)
    if kept is not None and kept["whose"] != str(request.user.pk):
        drop_form(request)
        return None
    return kept


def cut(value: str) -> str:
    """As it is shown."""
    more = len(value) - SHOWN
    return value if more <= 0 else f"{value[:SHOWN]}…\n({more:,} more characters)"


def drop_form(request: HttpRequest) -> None:
    request.session.pop(KEPT, None)


def kept_form_page(site: AdminSite) -> Any:
    """Whoever is signed in sees their own kept form, to send it or to drop it."""

    def view(request: HttpRequest) -> HttpResponse:
        kept = kept_form(request)
        if kept is None:
            return HttpResponseRedirect(reverse("admin:index"))
        if request.method == "POST":
            drop_form(request)
            messages.info(request, "It was dropped.")
            return HttpResponseRedirect(kept["path"])
        shown = [(name.replace("_", " ").capitalize(), cut(value)) for name, value in kept["fields"] if value]
        page = {"title": "You had sent this form", "kept": kept, "shown": shown}
        return TemplateResponse(request, "hashshare/doors/kept_form.html", {**site.each_context(request), **page})

    return view
