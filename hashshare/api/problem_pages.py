"""The public pages that problem types point to: what happened, and what to do about it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from hashshare.api.problem_texts import explanation_of, problem_types


@require_safe
def problem_index(request: HttpRequest) -> HttpResponse:
    return render(request, "problems/index.html", {"problems": problem_types()})


@require_safe
def problem_page(request: HttpRequest, slug: str) -> HttpResponse:
    error = next((error for error in problem_types() if error.slug == slug), None)
    if error is None:
        raise Http404
    return render(request, "problems/page.html", {"problem": error, "explanation": explanation_of(error)})


urlpatterns = [
    path("", problem_index, name="problem-index"),
    path("<slug:slug>", problem_page, name="problem-page"),
]
