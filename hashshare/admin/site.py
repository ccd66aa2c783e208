"""The admin site: who may enter, how one signs in, and what stands in the navigation."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.desks import PAGES, sections
from hashshare.admin.marks import DASH
from hashshare.admin.notices import notices
from hashshare.services.counters import count, counted, network_address

FAILURES: Final = {"account": 10, "address": 100}
"""How often one may fail from one network address: with one e-mail address, and in all."""
FAILURES_KEPT: Final = 15 * 60
"""Seconds, from the first failure on."""


class SignInForm(AuthenticationForm):
    """E-mail address and password; what a wrong one gets does not say whether the address is known.

    Guessing ends after some failures: not the account is closed, which anybody could bring about, but the door, to the
    network address that the failures came from.
    """

    error_messages = {
        "too_often": "That was tried too often. Try again in a quarter of an hour.",
        "invalid_login": "This e-mail address and password do not go together.",
        "inactive": "This account is closed. Ask the hub's operator.",
    }

    def clean_username(self) -> str:
        """Addresses are kept in lower case, and nobody remembers which case they typed."""
        return str(self.cleaned_data["username"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        keys = self._counters()
        if any(counted(keys[name]) >= most for name, most in FAILURES.items()):
            raise ValidationError(self.error_messages["too_often"], code="too_often")
        try:
            return dict(super().clean())
        except ValidationError:
            for key in keys.values():
                count(key, kept=FAILURES_KEPT)
            raise

    def _counters(self) -> dict[str, str]:
        address = network_address(self.request.META) if self.request else ""
        account = hashlib.sha256(str(self.cleaned_data.get("username", "")).encode()).hexdigest()[:32]
        return {"account": f"sign-in:{address}:{account}", "address": f"sign-in:{address}"}

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not roles.role_of(user):
            raise ValidationError(self.error_messages["inactive"], code="inactive")


class HubAdminSite(AdminSite):
    site_header = "hashshare"
    site_title = "hashshare"
    index_title = "Overview"
    site_url = None
    login_form = SignInForm
    index_template = "hashshare/overview.html"
    empty_value_display = DASH

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Which hub this is, for who works at more than one."""
        return {**super().each_context(request), "hub_name": settings.HASHSHARE_NAME}

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(roles.role_of(request.user))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [path(page.path, self.admin_view(page.view(self)), name=page.name) for page in PAGES]
        return [*own, *super().get_urls()]

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
