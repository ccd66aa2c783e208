"""The page *Other hubs*: which hubs receive a hotline's lists or asked for them, and who decides on their members."""

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

from federation.selectors.onward import lists_with_hubs
from federation.services.onward import set_hub_terms, terms_standing
from hashshare.admin import roles
from hashshare.admin.deeds import acting_for
from hashshare.admin.desks import Page
from hashshare.services.deeds import note_deed
from hashshare.wire.errors import HashshareError

MEMBERS = (("each", "The hotline, on each"), ("hub", "The hub, on its own"))
EVIDENCE = (("", "As the hubs agreed"), ("documents", "Members' signed statements"), ("counts", "Numbers only"))


class Choice(forms.Form):
    """`list` and `hub` name the line; `seen` is what stood when the page was read."""

    list = forms.CharField(max_length=320, widget=forms.HiddenInput)
    hub = forms.CharField(max_length=253, widget=forms.HiddenInput)
    seen = forms.CharField(max_length=200, widget=forms.HiddenInput)
    members = forms.ChoiceField(choices=MEMBERS, label="Who decides on its members")
    evidence = forms.ChoiceField(choices=EVIDENCE, required=False, label="What it tells of them")


def pages() -> list[Page]:
    return [
        Page(
            "other-hubs",
            "other-hubs/",
            "Other hubs",
            "Federation",
            other_hubs,
            roles.sees_propagation,
            "Which hubs receive lists that are published here, and who decides on their members",
        )
    ]


def other_hubs(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view, in the frame of `site`: of a hotline's own lists; of all to operators."""

    def view(request: HttpRequest) -> HttpResponse:
        if not roles.sees_propagation(request):
            raise PermissionDenied
        fault = _choose(request) if request.method == "POST" else ""
        if request.method == "POST" and not fault:
            return HttpResponseRedirect(reverse("admin:other-hubs"))
        context = {**site.each_context(request), **_page(request), "fault": fault}
        return TemplateResponse(request, "federation/other_hubs.html", context)

    return view


def _page(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    return {
        "title": "Other hubs",
        "lists": [
            {
                "list": found,
                "may_choose": roles.decides_on_subscription(request, hubs[0].subscription) if hubs else False,
                "hubs": [{"it": hub, "form": _form(found.name, hub), "open": hub.is_open} for hub in hubs],
            }
            for found, hubs in lists_with_hubs(organisation=roles.own_organisation(request), now=now)
        ],
        "in_place": roles.is_operator(request),
    }


def _form(name: str, hub: Any) -> Choice:
    terms = hub.terms
    said = {"list": name, "hub": hub.name, "seen": terms_standing(hub.subscription)}
    # Ids of fields would be the same on every line.
    return Choice(
        initial={**said, "members": terms.members, "evidence": terms.evidence}, auto_id=f"{hub.subscription.pk}-%s"
    )


def _choose(request: HttpRequest) -> str:
    """What was wrong, in words; "" when it was done."""
    form = Choice(request.POST)
    if not form.is_valid():
        return "That was no choice. Nothing was changed."
    data, person, now = form.cleaned_data, request.user, timezone.now()
    line = _line(request, data["list"], data["hub"], now)
    if line is None or not roles.decides_on_subscription(request, line.subscription):
        raise PermissionDenied
    domain, _, slug = data["list"].partition("/")
    hotline = line.subscription.list.publisher.organisation
    try:
        with transaction.atomic():
            set_hub_terms(
                caller=acting_for(hotline, person),
                domain=domain,
                slug=slug,
                hub=data["hub"],
                members=data["members"],
                evidence=data["evidence"],
                seen=data["seen"],
                now=now,
            )
            note_deed(
                person=person,  # type: ignore[arg-type]  # signed in, or the role would not fit
                what="Choose who decides at a hub",
                about=line.subscription,
                noted=f"members: {data['members']}, evidence: {data['evidence'] or 'as agreed'}",
                now=now,
            )
    except HashshareError as error:
        return f"{error.message} {error.next_step}".strip()
    messages.success(request, f"{data['list']} at {data['hub']}: {dict(MEMBERS)[data['members']].lower()}.")
    return ""


def _line(request: HttpRequest, name: str, hub: str, now: Any) -> Any:
    for found, hubs in lists_with_hubs(organisation=roles.own_organisation(request), now=now):
        for each in hubs:
            if (found.name, each.name) == (name, hub):
                return each
    return None
