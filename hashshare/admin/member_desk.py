"""A member's desk: what to do next, lists and requests, withdrawals still to apply, machines, access keys, receipts.

For engineers, and for all people of members; each sees the own organisation's. Asking for a list happens here; keys are
made and ended from their tables, where each deed is told with its consequence.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, Final, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from hashshare.admin import roles
from hashshare.admin.next_steps import Standing, Step, next_steps
from hashshare.sandbox.archive import NAME, sandbox_zip
from hashshare.selectors.callers import Caller, caller_of_person
from hashshare.selectors.deeds import decided_in_place
from hashshare.selectors.lists import catalogue, list_detail
from hashshare.selectors.member_desk import (
    OwnSubscription,
    acknowledged_version,
    machine_keys,
    own_duties,
    own_leaves,
    own_subscriptions,
    reading_keys,
)
from hashshare.selectors.receipts import one_receipt
from hashshare.selectors.redistribution import decided_by_this_hub, who_decides
from hashshare.selectors.sandbox import sandbox_list
from hashshare.services.deeds import note_deed
from hashshare.services.lists import terms_digest
from hashshare.services.subscriptions import request_subscription
from hashshare.wire.errors import HashshareError, NotEntitled, TermsNotAccepted

LEAVES: Final = 20
"""On the desk; the tables and `hashshare receipts` have all."""
LISTS: Final = 200
SHOWN: Final = 50
"""Rows of a table of the desk, and steps; what needs somebody comes first."""

View = Callable[..., HttpResponse]


def member_desk(site: AdminSite) -> View:
    """The desk itself, in the frame of `site`."""

    def view(request: HttpRequest) -> HttpResponse:
        return TemplateResponse(
            request, "hashshare/member_desk.html", {**site.each_context(request), **_desk(request, _caller(request))}
        )

    return view


def member_lists(site: AdminSite) -> View:
    """What there is to ask for, and where each request stands; `?q=` looks for words."""

    def view(request: HttpRequest) -> HttpResponse:
        query = request.GET.get("q", "")[:200]
        found = [each for each in catalogue(caller=_caller(request), query=query) if not each.own]
        context = {"title": "Lists", "lists": found[:LISTS], "more": len(found) > LISTS, "query": query}
        return TemplateResponse(request, "hashshare/member_lists.html", {**site.each_context(request), **context})

    return view


def member_list(site: AdminSite) -> View:
    """One list with its terms, and asking for it."""

    def view(request: HttpRequest, domain: str, slug: str) -> HttpResponse:
        caller = _caller(request)
        asked = Acceptance(request.POST if request.method == "POST" else None)
        if request.method == "POST" and asked.is_valid() and _ask(request, caller, domain, slug, asked):
            return HttpResponseRedirect(reverse("admin:member-list", args=[domain, slug]))
        try:
            detail = list_detail(caller=caller, domain=domain, slug=slug)
        except NotEntitled as error:
            raise Http404 from error
        context = {
            "title": detail.list.name,
            "detail": detail,
            "form": asked,
            "held": acknowledged_version(caller=caller, of=detail.list),
            "decided_by": _decided_by(detail.subscription),
            "decides": who_decides(detail.list),
            "asks": _may_ask(detail.subscription, detail.list.terms_digest) and not detail.own,
        }
        return TemplateResponse(request, "hashshare/member_list.html", {**site.each_context(request), **context})

    return view


def member_receipt(site: AdminSite) -> View:
    """One receipt as a file, which `hashshare receipts --check FILE` verifies."""

    def view(request: HttpRequest, leaf: int) -> HttpResponse:
        caller = _caller(request)
        try:
            name, found = one_receipt(caller=caller, leaf_id=leaf)
        except NotEntitled as error:
            raise Http404 from error
        except HashshareError as error:
            messages.warning(request, f"{error.message} {error.next_step}".strip())
            return HttpResponseRedirect(reverse("admin:member-desk"))
        body = {
            "index": found.index,
            "row": found.row,
            "nonce": base64.b64encode(found.nonce).decode(),
            "receipt": found.receipt,
        }
        response = HttpResponse(json.dumps(body, ensure_ascii=False) + "\n", content_type="application/json")
        file = f"receipt-{name.replace('/', '-')}-{found.index}.json"
        response["Content-Disposition"] = f'attachment; filename="{file}"'
        return response

    return view


def sandbox_files(site: AdminSite) -> View:
    """The harmless files that match the sandbox list."""

    def view(request: HttpRequest) -> HttpResponse:
        _caller(request)
        response = HttpResponse(sandbox_zip(), content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="{NAME}"'
        return response

    return view


NO_TERMS: Final = terms_digest("")


class Acceptance(forms.Form):
    """`terms_digest` are the terms that were shown: if others stand by now, they have to be read first.

    Where those were none there is nothing to accept.
    """

    terms_digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
    accept = forms.BooleanField(
        label="My organisation accepts these terms",
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("terms_digest") != NO_TERMS and not found.get("accept"):
            self.add_error("accept", "Accept the terms to ask for the list.")
        return found


def _caller(request: HttpRequest) -> Caller:
    if not roles.sees_member_desk(request):
        raise PermissionDenied
    return caller_of_person(request.user)  # type: ignore[arg-type]


def _ask(request: HttpRequest, caller: Caller, domain: str, slug: str, form: Acceptance) -> bool:
    """Whether it was done; else the form says why not."""
    try:
        row = _requested(request, caller, domain, slug, form.cleaned_data["terms_digest"])
    except NotEntitled as error:
        raise Http404 from error
    except TermsNotAccepted:
        form.add_error(None, "The terms have changed since this page was opened. These stand now: read them first.")
        return False
    except HashshareError as error:
        form.add_error(None, f"{error.message} {error.next_step}".strip())
        return False
    messages.success(request, ASKED[row.state].format(list=row.list.name, who=capfirst(who_decides(row.list))))
    return True


def _requested(request: HttpRequest, caller: Caller, domain: str, slug: str, terms_digest: str) -> Any:
    """The request and its line in the record stand or fall together; what was asked before leaves no second line."""
    now, actor = timezone.now(), cast("Any", request.user)
    before = list_detail(caller=caller, domain=domain, slug=slug).subscription
    with transaction.atomic():
        row, made = request_subscription(caller=caller, domain=domain, slug=slug, terms_digest=terms_digest, now=now)
        if made or before is None or before.terms_digest != terms_digest:
            what = "Ask for a list" if made else "Accept the terms of a list"
            note_deed(person=actor, what=what, about=row, noted=f"Terms {terms_digest}.", now=now)
    return row


ASKED: Final = {
    "requested": "Asked for {list}. {who} decides, and your desk shows it when it has.",
    "active": "You have {list}. Run hashshare sync on your machine.",
}


def _decided_by(newest: Any) -> str:
    """As the member reads it: no person is named."""
    if newest is None or newest.state not in ("denied", "revoked"):
        return ""
    if decided_by_this_hub(newest.list):
        return who_decides(newest.list)
    hotline = newest.list.publisher.organisation.name
    return f"an operator of this hub, in place of {hotline}" if decided_in_place(newest) else str(hotline)


def _may_ask(newest: Any, terms_digest: str) -> bool:
    """Not where a request waits or a subscription runs under the terms as they stand."""
    if newest is None or newest.state not in ("requested", "active"):
        return True
    return bool(newest.terms_accepted_at is None or newest.terms_digest != terms_digest)


def _desk(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    now, may_keep = timezone.now(), roles.keeps_keys(request)
    lists, keys = own_subscriptions(caller=caller, now=now), machine_keys(caller=caller, now=now)
    duties = own_duties(subscriptions=lists, now=now)
    leaves = own_leaves(caller=caller, limit=LEAVES + 1)
    steps = next_steps(
        keys=keys,
        lists=[_standing(each) for each in lists],
        overdue=sum(each.overdue for each in duties if not each.release.list.publisher.sandbox),
        hub=settings.HASHSHARE_PUBLIC_URL,
        may_keep_keys=may_keep,
        now=now,
    )
    return {
        "title": f"{caller.organisation.name}'s desk",
        "steps": [{"step": step, "address": _address(step)} for step in steps[:SHOWN]],
        "more_steps": max(0, len(steps) - SHOWN),
        "lists": _needing_first(lists)[:SHOWN],
        "more_lists": max(0, len(lists) - SHOWN),
        "asked": [each.row.list for each in lists if each.state == "requested"],
        "takes_any": any(each.in_force for each in lists),
        "sandbox": sandbox_list(),
        "duties": duties[:SHOWN],
        "more_duties": max(0, len(duties) - SHOWN),
        "keys": [{"key": key, "state": key.state_at(now)} for key in keys],
        "access_keys": [{"key": key, "state": _state(key, now)} for key in reading_keys(caller=caller, now=now)],
        "leaves": [{"leaf": leaf, "state": _logged(leaf)} for leaf in leaves[:LEAVES]],
        "more_leaves": len(leaves) > LEAVES,
        "keeps_keys": may_keep,
        "as_of": now,
    }


def _needing_first(lists: list[OwnSubscription]) -> list[OwnSubscription]:
    """In the order of their names, but where not all are shown those that are up to date come last."""
    return sorted(lists, key=lambda each: each.progress == "up to date") if len(lists) > SHOWN else lists


def _standing(each: OwnSubscription) -> Standing:
    hash_list = each.row.list
    hotline = hash_list.publisher.organisation.name
    return Standing(
        list_name=hash_list.name,
        state=each.state,
        progress=each.progress,
        ends_at=each.row.ends_at,
        terms_changed=each.terms_changed,
        hotline=hotline,
        closed_at=each.row.closed_at or (each.row.ends_at if each.state == "ended" else None),
        held=each.acknowledged,
    )


def _address(step: Step) -> str:
    if step.page == "list":
        return reverse("admin:member-list", args=step.list_name.split("/"))
    return reverse(PLACES[step.page]) if step.page else ""


PLACES: Final = {"catalogue": "admin:member-lists", "invite": "admin:hashshare_organisationkey_invite-machine"}


def _state(key: Any, now: Any) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at <= now else "active"


def _logged(leaf: Any) -> str:
    return "in the log" if leaf.index is not None and leaf.index < leaf.log.size else "to be sealed"
