"""Every address of the pages, taken from the site itself: who reaches it, and that nobody does without both factors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver

from hashshare.admin import tables  # noqa: F401  (registers them)
from hashshare.admin.desks import PAGES, Page
from hashshare.admin.site import site
from tests.admin.cast import browser
from tests.admin.conftest import Hub
from tests.admin.doors import give_password, with_phone

ROLES = ("operator", "analyst", "engineer", "observer")
DOORS = ("login", "login-code", "login-set-up")
"""What is there for those who are not in yet."""


def filled(route: str) -> str:
    """With something in place of each part that varies, which no row has."""
    route = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", route)
    return re.sub(r"<[^>]+>", "nothing", re.sub(r"<int:\w+>", "987654321", route))


def addresses(patterns: Any, prefix: str = "/admin/") -> Iterator[tuple[str, str]]:
    """(name, address) of every pattern; patterns by regular expression are the list of an application and the rest."""
    for pattern in patterns:
        route = str(pattern.pattern)
        if route.startswith("^"):
            route = "hashshare/" if "app_label" in route else ""
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, prefix + filled(route))
        elif isinstance(pattern, URLPattern):
            yield pattern.name or "", prefix + filled(route)


def everything() -> list[tuple[str, str]]:
    found = [each for each in addresses(site.get_urls()) if each[0] not in DOORS]
    assert len(found) > 100
    return found


def asking(hub: Hub, role: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = hub.person(role) if role else AnonymousUser()
    return request


def reached(answer: Any) -> bool:
    """A page that needs more of its address may not find it; a door or a refusal is not reached."""
    return answer.status_code != 403 and not answer.get("Location", "").startswith("/admin/login/")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_reached_by_exactly_those_who_may_see_it(hub: Hub, page: Page, role: str) -> None:
    answer = browser(hub.person(role)).get(f"/admin/{filled(page.path)}")
    if "<" in page.path and not page.seen_by(asking(hub, role)):
        assert answer.status_code in {403, 404}  # somebody else's row is not there
    else:
        assert reached(answer) == page.seen_by(asking(hub, role)), answer.status_code


@pytest.mark.parametrize("role", ROLES)
def test_a_table_is_reached_by_exactly_those_who_may_see_it(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    for model, table in site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert reached(client.get(address)) == table.has_view_permission(asking(hub, role)), address


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_names_what_is_reached_and_nothing_else(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    text = client.get("/admin/", follow=True).content.decode()
    named = set(re.findall(r'<th[^>]*scope="row"[^>]*>\s*<a href="(/admin/[^"]+)"', text))
    for address in named:
        assert reached(client.get(address)), address
    for page in PAGES:
        if page.label and not page.seen_by(asking(hub, role)):
            assert f"/admin/{page.path}" not in named


@pytest.mark.parametrize("how", ["nobody", "password alone", "no second factor", "ended"])
def test_no_address_opens_without_password_and_second_factor(hub: Hub, how: str) -> None:
    client = Client()
    with_phone(hub.operator)
    if how == "password alone":
        give_password(client, hub.operator.email)
    for name, address in everything():
        if how == "no second factor":
            client.force_login(hub.operator)
        if how == "ended":
            client = browser(hub.operator)
            client.session.delete()
        for answer in (client.get(address), client.post(address, {"reason": "mine", "post": "yes"})):
            to = answer.get("Location", "")
            assert answer.status_code in {302, 404}, (name, address)
            assert answer.status_code == 404 or to.startswith("/admin/login/") or name == "logout", (name, to)
            assert hub.operator.email not in answer.content.decode()


def test_a_person_of_a_suspended_organisation_reaches_nothing(hub: Hub) -> None:
    client = browser(hub.engineer)
    organisation = hub.aurora.member
    organisation.state = "suspended"
    organisation.save()
    for page in PAGES:
        assert not reached(client.get(f"/admin/{filled(page.path)}")), page.name
