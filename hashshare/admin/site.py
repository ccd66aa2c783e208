"""The admin site: who may enter, how one signs in, and what stands in the navigation."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.desks import pages, sections
from hashshare.admin.kept_forms import KEPT, drop_form, keep_form
from hashshare.admin.marks import DASH
from hashshare.admin.notices import notices
from hashshare.admin.sessions import is_verified
from hashshare.admin.sign_in import enter_code, enter_password, set_up_second_factor
from hashshare.selectors.demonstration import is_demonstration


class HubAdminSite(AdminSite):
    site_header = "hashshare"
    site_title = "hashshare"
    index_title = "Overview"
    site_url = None
    index_template = "hashshare/overview.html"
    empty_value_display = DASH

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Which hub this is, for who works at more than one, and whether all that it shows is made up."""
        own = {"hub_name": settings.HASHSHARE_NAME, "made_up": is_demonstration()}
        return {**super().each_context(request), **own}

    def has_permission(self, request: HttpRequest) -> bool:
        """No page of the site without password and second factor both."""
        return is_verified(request) and bool(roles.role_of(request.user))

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """What was sent to a page after the session had ended is kept, and not lost without a word."""
        guarded: Callable[..., HttpResponse] = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST":
                self._keep_or_drop(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(inner, guarded)

    def _keep_or_drop(self, request: HttpRequest) -> None:
        if not self.has_permission(request):
            if request.path != reverse("admin:logout"):
                keep_form(request)
        elif KEPT in request.session and request.session[KEPT]["path"] == request.get_full_path():
            drop_form(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("login/", enter_password, name="login"),
            path("login/code/", enter_code, name="login-code"),
            path("login/set-up/", set_up_second_factor, name="login-set-up"),
        ]
        desks = [path(page.path, self.admin_view(page.view(self)), name=page.name) for page in pages()]
        return [*own, *desks, *super().get_urls()]

    def password_change(  # type: ignore[override]  # a redirect is no TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The stock page would leave other sessions open and no trace."""
        return HttpResponseRedirect(reverse("admin:account"))

    def index(  # type: ignore[override]  # a redirect is no TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An observer has one page, so that is where signing in leads."""
        if roles.role_of(request.user) == roles.OBSERVER:
            return HttpResponseRedirect(reverse("admin:statistics"))
        told = {"notices": notices(request, now=timezone.now())}
        return super().index(request, {**(extra_context or {}), **told})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The pages and tables a person may see, by section instead of by Django application."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        tables = [table for app in super().get_app_list(request) for table in app["models"]]
        return sections(request, tables)


site = HubAdminSite()
