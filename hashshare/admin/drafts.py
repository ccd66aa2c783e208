"""The upload desk: what a hotline's analysts have uploaded, and one upload from its columns to its release.

Every step is a form that carries the revision it was shown for; the services do the rest.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.selectors.drafts import draft_of, drafts_seen, faults_file, list_to_draft_for, lists_to_draft_for
from hashshare.services.draft_rules import list_columns, may_be_empty, needed_number, stopped
from hashshare.services.drafts import abandon_draft, approve_draft, ask_check, send_back_draft, submit_draft
from hashshare.wire.errors import HashshareError, NotEntitled, NotFound, UsageError
from hashshare.wire.intake import left_empty, not_in_file
from hashshare.wire.vocabulary import REASONS

SHOWN: Final = 50
"""Uploads on the first page; older ones are on record in What people did."""

WORKING: Final = ("checking", "publishing")

STEPS: Final = (
    ("Upload", ("uploaded",)),
    ("Check", ("checking", "checked", "returned", "failed")),
    ("Approve", ("submitted",)),
    ("Publish", ("approved", "publishing")),
    ("Done", ("published",)),
)
"""What the steps are called, with the states in which one is at each."""

REASON_WORDS: Final = {
    "incorrect": "incorrect: it should never have been on the list",
    "superseded": "superseded by another entry",
    "expired": "expired",
    "other": "other",
}

View = Callable[..., HttpResponseBase]


def for_analysts(view: Callable[..., HttpResponseBase]) -> Callable[[AdminSite], View]:
    """A page of the desk: refused to everybody but a hotline's analysts, and what is another's is not found."""

    def made(site: AdminSite) -> View:
        def guarded(request: HttpRequest, **where: Any) -> HttpResponseBase:
            if not roles.uploads(request):
                raise PermissionDenied
            try:
                return view(site, request, **where)
            except (NotEntitled, NotFound) as error:
                raise Http404 from error

        return guarded

    return made


@for_analysts
def uploads(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """All uploads of the hotline, those that wait for this analyst first."""
    rows = list(drafts_seen(person=person(request))[:SHOWN])
    waiting = [row for row in rows if row.state == "submitted" and request.user.pk not in authors(row)]
    context = {
        "title": "Uploads",
        "waiting": waiting,
        "rows": [row for row in rows if row not in waiting],
        "lists": lists_to_draft_for(person=person(request)),
    }
    return page(site, request, "uploads", context)


@for_analysts
def one_upload(site: AdminSite, request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """One upload as it stands, and what may be done with it now."""
    draft = draft_of(person=person(request), draft_id=draft_id)
    problem = None
    if request.method == "POST":
        try:
            done = DEEDS[request.POST.get("deed", "")](request, draft)
        except KeyError as error:
            raise Http404 from error
        except (NotEntitled, NotFound):
            raise
        except HashshareError as error:
            problem, draft = error, draft_of(person=person(request), draft_id=draft_id)
        else:
            messages.success(request, done)
            return HttpResponseRedirect(reverse("admin:upload", args=[draft.pk]))
    context = {"title": draft.file_name, "draft": draft, "error": problem, **shown(request, draft, error=problem)}
    return page(site, request, "upload", context)


def shown(request: HttpRequest, draft: Any, *, error: HashshareError | None) -> dict[str, Any]:
    """What the page of one upload tells besides the row."""
    step = next((place for place, (_, states) in enumerate(STEPS) if draft.state in states), -1)
    known = list_columns(draft.list, changes=draft.kind != "whole")
    posted = request.POST if request.method == "POST" else {}
    in_hand = draft.findings and draft.state in ("checked", "returned")
    mapped = posted_columns(request, draft) if posted.get("deed") == "check" else draft.columns
    at = error.facts.get("at", ()) if error is not None else ()
    return {
        "steps": [(word, place < step, place == step) for place, (word, _) in enumerate(STEPS)],
        "mine": request.user.pk in authors(draft),
        "own": draft.uploaded_by_id == request.user.pk,
        "working": draft.state in WORKING,
        "columns": [(place, name, mapped.get(name, ""), name in at) for place, name in enumerate(draft.header)],
        "known": known,
        "missing": missing_columns(draft, mapped),
        "empty": left_empty(mapped),
        "needed": needed_number(draft) if draft.findings else None,
        "stopped": stopped(draft.findings, kind=draft.kind, hosted=draft.list.hosted) if in_hand else None,
        "needs_reason": bool(draft.findings) and draft.kind == "whole" and draft.findings["withdrawn"] > 0,
        "stale": bool(draft.findings) and draft.findings["before"] != draft.list.version,
        "reasons": REASON_WORDS,
        "typed": posted,
    }


# --- What may be done --------------------------------------------------------------------------------------------


def posted_columns(request: HttpRequest, draft: Any) -> dict[str, str]:
    chosen = {name: request.POST.get(f"column-{place}", "") for place, name in enumerate(draft.header)}
    empty = [name for name in may_be_empty(draft.list) if f"empty-{name}" in request.POST]
    return chosen | {not_in_file(name): name for name in empty}


def missing_columns(draft: Any, mapped: Mapping[str, str]) -> list[str]:
    """Columns of the list that may be empty, and that no column of the file is said to be."""
    given = {mapped.get(name, "") for name in draft.header}
    return [name for name in may_be_empty(draft.list) if name not in given]


def check(request: HttpRequest, draft: Any) -> str:
    ask_check(columns=posted_columns(request, draft), **where(request, draft))
    return "A worker counts what the file would change. Nothing is published by that."


def submit(request: HttpRequest, draft: Any) -> str:
    typed = request.POST.get("withdrawals", "").replace(",", "").strip()
    submit_draft(
        reason=request.POST.get("reason", "") if request.POST.get("reason", "") in REASONS else "",
        skip_bad="skip_bad" in request.POST,
        typed_withdrawals=int(typed) if typed.isdecimal() and len(typed) < 16 else None,
        **where(request, draft),
    )
    return "Submitted. A second analyst of your hotline has to approve it."


def approve(request: HttpRequest, draft: Any) -> str:
    done = approve_draft(**where(request, draft))
    if done.state == "approved":
        return "Approved. The hotline's own machine signs it: hashshare publish --approved"
    return "Approved. It is being published."


def send_back(request: HttpRequest, draft: Any) -> str:
    send_back_draft(reason=request.POST.get("why", ""), **where(request, draft))
    return "Sent back, with your reason."


def abandon(request: HttpRequest, draft: Any) -> str:
    if "sure" not in request.POST:
        raise UsageError("Tick that you are sure: the file is deleted. Nothing was done.")
    abandon_draft(reason=request.POST.get("why_gone", ""), **where(request, draft))
    return "Thrown away. The file is deleted within minutes."


DEEDS: Final[dict[str, Callable[[HttpRequest, Any], str]]] = {
    "check": check,
    "submit": submit,
    "approve": approve,
    "send-back": send_back,
    "abandon": abandon,
}


def where(request: HttpRequest, draft: Any) -> dict[str, Any]:
    revision = request.POST.get("revision", "")
    number = int(revision) if revision.isdecimal() and len(revision) < 9 else -1
    return {"person": person(request), "draft_id": draft.pk, "revision": number, "now": timezone.now()}


# --- Files and figures -------------------------------------------------------------------------------------------


@for_analysts
def progress(site: AdminSite, request: HttpRequest, draft_id: uuid.UUID) -> HttpResponse:
    """How far the work is, for the page's script; the page tells the same by itself."""
    draft = draft_of(person=person(request), draft_id=draft_id)
    job = draft.job
    told = {
        "state": draft.state,
        "revision": draft.revision,
        "done": job.progress_done if job else 0,
        "total": job.progress_total if job else 0,
        "message": job.progress_message if job else "",
    }
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


@for_analysts
def faults(site: AdminSite, request: HttpRequest, draft_id: uuid.UUID) -> HttpResponseBase:
    """Every line at fault as CSV."""
    found = faults_file(draft_of(person=person(request), draft_id=draft_id))
    response = StreamingHttpResponse(found.blocks, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="faults.csv"'
    response["Content-Length"] = str(found.length)
    return response


@for_analysts
def template(site: AdminSite, request: HttpRequest, list_id: uuid.UUID) -> HttpResponse:
    """An empty file with a list's columns; `?changes=1` those of a file of changes."""
    found = list_to_draft_for(person=person(request), list_id=list_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.slug}.csv"'
    csv.writer(response).writerow(list_columns(found, changes="changes" in request.GET))
    return response


# --- In common ---------------------------------------------------------------------------------------------------


def person(request: HttpRequest) -> Any:
    """Who is signed in."""
    return request.user


def authors(draft: Any) -> tuple[Any, Any]:
    """Who may not approve it."""
    return draft.uploaded_by_id, draft.submitted_by_id


def page(site: AdminSite, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, f"hashshare/drafts/{name}.html", {**site.each_context(request), **context})
