"""The admin site: who may enter, how one signs in, and what stands in the navigation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils import timezone

from hashshare.admin import roles
from hashshare.admin.expiring import what_expires_next
from hashshare.admin.marks import DASH
from hashshare.admin.notices import notices
from hashshare.admin.propagation import withdrawal_propagation
from hashshare.admin.statistics import coalition_statistics
from hashshare.admin.timetable import timetable
from hashshare.services.counters import count, counted, network_address

SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Organisations and people": ("Organisation", "Person", "Invitation", "OrganisationKey", "AccessKey"),
    "What is published": ("Publisher", "Beginning", "HashList", "Release", "Commit", "Metadata", "StoredObject"),
    "Who receives it": ("Subscription", "Delivery", "Acknowledgement", "Reminder"),
    "Operation": ("Job", "ExpiryWarning", "Log", "Restoration", "GuardedDigest", "DailyStatistic", "LogEntry"),
}
"""Model class names by section of the navigation, in order; one that is missing here stands in the last."""


NAMES: Final = {"HashList": "Lists", "OrganisationKey": "Keys", "LogEntry": "What operators did"}
"""Where the navigation says it in other words than the class."""


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

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(roles.role_of(request.user))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        statistics = path("statistics/", self.admin_view(coalition_statistics(self)), name="statistics")
        propagation = path("propagation/", self.admin_view(withdrawal_propagation(self)), name="propagation")
        expiring = path("expiring/", self.admin_view(what_expires_next(self)), name="expiring")
        jobs = path("timetable/", self.admin_view(timetable(self)), name="timetable")
        return [statistics, propagation, expiring, jobs, *super().get_urls()]

    def index(  # type: ignore[override]  # a redirect is no TemplateResponse
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An observer has one page, so that is where signing in leads."""
        if roles.role_of(request.user) == roles.OBSERVER:
            return HttpResponseRedirect(reverse("admin:statistics"))
        told = {"notices": notices(request, now=timezone.now())}
        return super().index(request, {**(extra_context or {}), **told})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The tables a person may see, by section instead of by Django application; the statistics first."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        seen = [_renamed(table) for app in super().get_app_list(request) for table in app["models"]]
        pages = list(_pages(request))
        own = [_page_section(pages)] if pages else []
        return own + [section for name in SECTIONS if (section := _section(name, seen))["models"]]


def _renamed(table: dict[str, Any]) -> dict[str, Any]:
    return {**table, "name": NAMES.get(table["object_name"], table["name"])}


def _section(name: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    order = SECTIONS[name]
    known = {model for models in SECTIONS.values() for model in models}
    last = name == list(SECTIONS)[-1]
    mine = [t for t in tables if t["object_name"] in order or (last and t["object_name"] not in known)]
    mine.sort(key=lambda table: order.index(table["object_name"]) if table["object_name"] in order else len(order))
    return {"name": name, "app_label": name.split()[0].lower(), "app_url": reverse("admin:index"), "models": mine}


def _pages(request: HttpRequest) -> Iterator[dict[str, Any]]:
    """The pages that are no table of rows."""
    if roles.sees_statistics(request):
        yield _page("Coalition statistics", "Statistics", reverse("admin:statistics"))
    if roles.sees_propagation(request):
        yield _page("Withdrawal propagation", "Propagation", reverse("admin:propagation"))
    if roles.sees_expiring(request):
        yield _page("What expires next", "Expiring", reverse("admin:expiring"))
    if roles.is_operator(request):
        yield _page("Timetable", "Timetable", reverse("admin:timetable"))


def _page(name: str, object_name: str, address: str) -> dict[str, Any]:
    return {"name": name, "object_name": object_name, "admin_url": address, "view_only": True}


def _page_section(pages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "Coalition", "app_label": "coalition", "app_url": pages[0]["admin_url"], "models": pages}


site = HubAdminSite()
