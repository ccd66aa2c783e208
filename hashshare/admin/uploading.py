"""Where an upload begins: a list and a file, or keys to withdraw."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from hashshare.admin import roles
from hashshare.admin.drafts import REASON_WORDS, View, for_analysts, page, person
from hashshare.admin.incoming import HashingHandler, expect_file, limit_bytes, received_file
from hashshare.selectors.drafts import lists_to_draft_for
from hashshare.services.draft_rules import list_columns
from hashshare.services.drafts import draft_withdrawals, upload_draft
from hashshare.wire.errors import HashshareError, NotEntitled
from hashshare.wire.limits import MIB


def new_upload(site: AdminSite) -> View:
    """The form, and the file that it brings. Who may upload, and how much, is asked before the body is read; only then
    comes the check of the form's token, which reads it.
    """

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponseBase:
        if not roles.uploads(request):
            raise PermissionDenied
        if request.method != "POST":
            return _form(site, request, request.GET)
        try:
            handler = expect_file(request)
        except HashshareError as error:
            return _form(site, request, {}, error)
        return _checked(site, request, handler)

    return view


@csrf_protect
def _take(request: HttpRequest, site: AdminSite, handler: HashingHandler) -> HttpResponse:
    try:
        file = received_file(request, handler, field="file")
        draft = upload_draft(
            person=person(request),
            list_id=_chosen(request),
            kind=request.POST.get("kind", ""),
            file=file.path,
            file_name=file.name,
            digest=file.digest,
            now=timezone.now(),
        )
    except NotEntitled as error:
        raise Http404 from error
    except HashshareError as error:
        return _form(site, request, request.POST, error)
    return HttpResponseRedirect(reverse("admin:upload", args=[draft.pk]))


def _checked(site: AdminSite, request: HttpRequest, handler: HashingHandler) -> HttpResponseBase:
    answer: HttpResponse = _take(request, site, handler)
    return answer


def _form(
    site: AdminSite, request: HttpRequest, typed: Mapping[str, Any], error: HashshareError | None = None
) -> HttpResponse:
    lists = lists_to_draft_for(person=person(request))
    context = {
        "title": "New upload",
        "error": error,
        "lists": [(found, list_columns(found, changes=False)) for found in lists],
        "chosen": typed.get("list", ""),
        "kind": typed.get("kind", "whole"),
        "most": limit_bytes() // MIB,
        "most_bytes": limit_bytes(),
    }
    response = page(site, request, "new", context)
    if error is not None:
        response.status_code = error.status
    return response


@for_analysts
def withdraw(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Keys pasted in, and why; what follows is an upload like any other."""
    error = None
    if request.method == "POST":
        try:
            draft = draft_withdrawals(
                person=person(request),
                list_id=_chosen(request),
                keys=request.POST.get("keys", ""),
                reason=request.POST.get("reason", ""),
                now=timezone.now(),
            )
        except NotEntitled:
            raise
        except HashshareError as refused:
            error = refused
        else:
            return HttpResponseRedirect(reverse("admin:upload", args=[draft.pk]))
    context: dict[str, Any] = {
        "title": "Withdraw entries",
        "error": error,
        "lists": lists_to_draft_for(person=person(request)),
        "chosen": request.POST.get("list") or request.GET.get("list", ""),
        "keys": request.POST.get("keys", ""),
        "reason": request.POST.get("reason", ""),
        "reasons": REASON_WORDS,
    }
    return page(site, request, "withdraw", context)


def _chosen(request: HttpRequest) -> uuid.UUID:
    """Raises NotEntitled for what is no list's id."""
    try:
        return uuid.UUID(request.POST.get("list", ""))
    except ValueError as error:
        raise NotEntitled from error
