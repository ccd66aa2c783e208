"""The page *Commitments*: a signatory's people say how far they are with each action, and see the review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.selectors.commitments import open_actions, own_commitments
from hashshare.services.commitments import enter_commitment
from hashshare.services.deeds import note_deed
from hashshare.wire.errors import HashshareError

STATES = (("signed", "Signed: we have signed up to it"), ("in_progress", "In progress"), ("done", "Done"))


class Entry(forms.Form):
    action = forms.ModelChoiceField(queryset=open_actions(), help_text="Of the coalition's statement.")
    state = forms.ChoiceField(choices=STATES)
    source = forms.URLField(
        max_length=500,
        assume_scheme="https",
        label="Source",
        help_text="The https address of a public page that shows it.",
    )
    dated = forms.DateField(
        label="Date of the source", help_text="Such as 2026-11-28.", widget=forms.DateInput(attrs={"type": "date"})
    )


def commitments(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`: for people of an organisation, about their own alone."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.enters_commitments(request):
            raise PermissionDenied
        form = Entry(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and enter(request, form):
            return HttpResponseRedirect(reverse("admin:commitments"))
        return TemplateResponse(
            request, "hashshare/commitments.html", {**site.each_context(request), **page(request, form)}
        )

    return view


def page(request: HttpRequest, form: Entry) -> dict[str, Any]:
    person: Any = request.user
    own = person.organisation
    return {
        "title": "Commitments",
        "form": form,
        "organisation": own,
        "rows": own_commitments(organisation=own.pk)[:200],
        "any_actions": open_actions().exists(),
    }


def enter(request: HttpRequest, form: Entry) -> bool:
    """Whether it was taken; else the form says why not."""
    person: Any = request.user
    data, now = form.cleaned_data, timezone.now()
    try:
        with transaction.atomic():
            made = enter_commitment(signatory=person.organisation, by=person, now=now, **data)
            note_deed(person=person, what="Enter a commitment", about=made, now=now)
    except HashshareError as error:
        form.add_error(None, f"{error.message} {error.next_step}".strip())
        return False
    messages.success(request, "Entered. The hub's operator reviews it; until then only your organisation sees it.")
    return True
