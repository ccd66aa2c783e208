"""The page of one release: who signed it, what it changed, and which members have pulled and applied it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.selectors.reception import release_page

WORDS = {"left": "access ended"}


def one_release(site: AdminSite) -> Callable[..., HttpResponse]:
    """For operators, and people of the hotline."""

    def view(request: HttpRequest, release_id: uuid.UUID) -> HttpResponse:
        if not roles.sees_propagation(request):
            raise PermissionDenied
        now = timezone.now()
        found = release_page(release_id=release_id, of=roles.own_organisation(request), now=now)
        if found is None:
            raise Http404
        context = {
            "title": f"{found.release.list.name} version {found.release.version}",
            "seen": found,
            "members": [(it, WORDS.get(it.member.state, it.member.state)) for it in found.members],
            "as_of": now,
        }
        return TemplateResponse(request, "hashshare/release.html", {**site.each_context(request), **context})

    return view
