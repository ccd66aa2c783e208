"""Which role opens which page; nobody changes a row by the stock forms."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hashshare.admin import tables  # noqa: F401  (registers them)
from hashshare.admin.site import site
from hashshare.models import (
    Authenticator,
    Demonstration,
    Draft,
    FormerMetadata,
    JobRun,
    Leaf,
    ListCount,
    LogTile,
    Organisation,
    OverlapCount,
    PeriodFigure,
    RecoveryCode,
    UsedNonce,
)
from hashshare.services.organisations import suspend_organisation
from hashshare.services.people import change_role
from tests.admin.addresses import changelist, page
from tests.admin.cast import browser
from tests.admin.conftest import Hub

TABLES = sorted((model for model in site._registry), key=lambda model: model.__name__)
OPERATORS_ALONE = {
    *("Invitation", "GuardedDigest", "DailyStatistic", "StatisticPeriod", "StatementAction", "Restoration"),
    *("Peer", "Agreement", "Finding", "Cosigning", "WitnessedLog", "WatchedLog", "ReportCursor", "RemoteHub"),
}


def a_row(hub: Hub, model: type[Model]) -> Model:
    return hub.operators_own[model] if model in hub.operators_own else hub.aurora.of[model]


def test_it_registers_every_table_but_nonces_runs_counts_uploads_what_was_put_aside_and_the_insides_of_logs() -> None:
    registered = {model.__name__ for model in TABLES if model._meta.app_label == "hashshare"}
    known = {model.__name__ for model in Organisation._meta.apps.get_app_config("hashshare").get_models()}
    counts = (ListCount, OverlapCount, PeriodFigure)
    unlisted = (
        Demonstration,
        Draft,
        *counts,
        UsedNonce,
        FormerMetadata,
        Leaf,
        LogTile,
        JobRun,
        Authenticator,
        RecoveryCode,
    )
    assert registered == known - {model.__name__ for model in unlisted}


def test_it_shows_operators_every_table_and_row(hub: Hub) -> None:
    client = browser(hub.operator)
    for model in TABLES:
        row = a_row(hub, model)
        listed = client.get(changelist(model))
        assert listed.status_code == 200, model
        assert str(row.pk) in listed.content.decode(), model
        assert client.get(page(row)).status_code == 200, model
        assert client.get(page(row, "history")).status_code == 200, model


@pytest.mark.parametrize("role", ["analyst", "engineer"])
def test_it_shows_an_organisations_people_only_tables_with_own_rows(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    for model in TABLES:
        closed = model.__name__ in OPERATORS_ALONE
        assert client.get(changelist(model)).status_code == (403 if closed else 200), model
        if closed:
            assert client.get(page(a_row(hub, model))).status_code == 403, model


def test_it_shows_observers_no_table(hub: Hub) -> None:
    client = browser(hub.observer)
    for model in TABLES:
        row = a_row(hub, model)
        for address in (changelist(model), page(row), page(row, "history")):
            answer = client.get(address)
            assert answer.status_code == 403, address
            assert str(row) not in answer.content.decode(), address


@pytest.mark.parametrize("role", ["operator", "analyst", "engineer", "observer"])
def test_it_lets_nobody_add_change_or_delete_by_the_stock_forms(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    for model in TABLES:
        row, add = a_row(hub, model), changelist(model) + "add/"
        before = list(model._default_manager.order_by("pk").values())
        for address in (add, page(row), page(row, "delete")):
            assert client.post(address, {"name": "changed", "post": "yes"}).status_code in {302, 403}, address
        client.post(changelist(model), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
        assert client.get(add).status_code == 403, add
        assert list(model._default_manager.order_by("pk").values()) == before, model


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/statistics/", "/admin/propagation/", "/admin/hashshare/organisation/"]
)
def test_it_sends_strangers_to_the_sign_in_page(db: None, path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")


@pytest.mark.parametrize("role", ["analyst", "engineer", "observer"])
def test_it_shuts_out_the_people_of_a_suspended_organisation(hub: Hub, role: str) -> None:
    who = hub.person(role)
    client = browser(who)
    assert who.organisation is not None
    suspend_organisation(organisation=who.organisation)
    for path in ("/admin/", "/admin/statistics/", "/admin/propagation/", "/admin/hashshare/organisation/"):
        assert client.get(path)["Location"].startswith("/admin/login/")


def test_it_leads_observers_to_the_statistics_and_names_them_nothing_else(hub: Hub) -> None:
    client = browser(hub.observer)
    assert client.get("/admin/")["Location"] == reverse("admin:statistics")
    text = client.get(reverse("admin:statistics")).content.decode()
    assert "/admin/hashshare/" not in text
    assert client.get("/admin/hashshare/").status_code == 404


def test_it_names_people_of_an_organisation_only_what_they_may_open(hub: Hub) -> None:
    text = browser(hub.engineer).get("/admin/").content.decode()
    assert changelist(Organisation) in text
    assert "/admin/statistics/" not in text
    for name in ("invitation", "guardeddigest", "dailystatistic", "restoration"):
        assert f"/{name}/" not in text


def test_a_role_that_does_not_fit_the_organisation_opens_nothing_and_operators_are_told(hub: Hub) -> None:
    """From before the rule: services give nobody such a role."""
    hub.observer.organisation = hub.aurora.member
    hub.observer.save()
    client = browser(hub.observer)
    for address in ("/admin/statistics/", "/admin/statistics/export/", "/admin/commitments/"):
        assert client.get(address).status_code == 302, address
    overview = browser(hub.operator).get("/admin/").content.decode()
    assert "A role does not fit the organisation, and opens nothing until it is changed: " in overview
    assert f"{hub.observer.email} (observer of Cobalt)" in overview
    assert page(hub.observer) in overview
    change_role(person=hub.observer, role="analyst", now=timezone.now())
    assert "does not fit" not in browser(hub.operator).get("/admin/").content.decode()


def test_organisations_are_shown_and_filtered_by_the_names_of_their_countries(hub: Hub) -> None:
    client = browser(hub.operator)
    text = client.get(changelist(Organisation)).content.decode()
    assert ">Netherlands</td>" in text
    assert '<a href="?country=CA">Canada</a>' in text.replace(' title="Canada"', "")
    assert "<dd>France</dd>" in client.get(page(hub.delta)).content.decode()
