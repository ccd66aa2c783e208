"""Signing in to the pages, and out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client

from hashshare.admin.site import FAILURES, FAILURES_KEPT
from hashshare.models import Person
from hashshare.services.organisations import suspend_organisation
from hashshare.services.people import deactivate_person
from tests.admin.cast import PASSWORD, organisation, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counters_at_nought() -> Iterator[None]:
    caches["limits"].clear()
    yield
    caches["limits"].clear()


@pytest.fixture
def engineer() -> Person:
    return person("engineer", organisation("Cobalt", "member"))


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/admin/login/", {"username": email, "password": password, "next": "/admin/"})


def said(answer: Any) -> list[str]:
    return re.findall(r'class="errornote">\s*(.*?)\s*</p>', answer.content.decode(), re.DOTALL)


def test_it_signs_in_and_out(client: Client, engineer: Person) -> None:
    assert sign_in(client, engineer.email)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_it_does_not_care_how_the_address_is_capitalised(client: Client, engineer: Person) -> None:
    assert sign_in(client, f" {engineer.email.upper()}").status_code == 302


def test_it_does_not_say_which_addresses_are_known(client: Client, engineer: Person) -> None:
    wrong, unknown = sign_in(client, engineer.email, "wrong"), sign_in(client, "nobody@cobalt.example", "wrong")
    assert said(wrong) == said(unknown) != []


def test_it_ends_guessing(client: Client, engineer: Person) -> None:
    for _ in range(FAILURES["account"]):
        assert "do not go together" in said(sign_in(client, engineer.email, "wrong"))[0]
    assert "too often" in said(sign_in(client, engineer.email))[0]
    assert "too often" in said(sign_in(client, engineer.email.upper()))[0]


def test_it_keeps_nobody_out_for_the_failures_of_others(client: Client, engineer: Person) -> None:
    for _ in range(FAILURES["account"]):
        sign_in(client, engineer.email, "wrong")
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere, engineer.email).status_code == 302
    assert sign_in(client, person("analyst", engineer.organisation).email).status_code == 302


def test_it_ends_guessing_at_many_accounts(client: Client, engineer: Person) -> None:
    for number in range(FAILURES["address"]):
        sign_in(client, f"nobody{number}@cobalt.example", "wrong")
    assert "too often" in said(sign_in(client, engineer.email))[0]


def test_it_lets_in_again_after_a_while(client: Client, engineer: Person) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, tzinfo=UTC), tick=False) as clock:
        for _ in range(FAILURES["account"]):
            sign_in(client, engineer.email, "wrong")
        assert "too often" in said(sign_in(client, engineer.email))[0]
        clock.shift(FAILURES_KEPT + 1)
        assert sign_in(client, engineer.email).status_code == 302


def test_it_refuses_a_closed_account(client: Client, engineer: Person) -> None:
    deactivate_person(person=engineer)
    assert sign_in(client, engineer.email).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_it_refuses_people_of_a_suspended_organisation(client: Client, engineer: Person) -> None:
    assert engineer.organisation is not None
    suspend_organisation(organisation=engineer.organisation)
    assert said(sign_in(client, engineer.email)) == ["This account is closed. Ask the hub&#x27;s operator."]
    assert client.get("/admin/").status_code == 302


def test_it_does_not_send_people_to_other_sites(client: Client, engineer: Person) -> None:
    form = {"username": engineer.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert "elsewhere" not in client.post("/admin/login/", form)["Location"]


def test_it_lets_everyone_change_the_own_password(client: Client) -> None:
    observer = person("observer", organisation("Delta", "partner"))
    client.force_login(observer)
    new = "nine patient herons"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", form).status_code == 302
    observer.refresh_from_db()
    assert observer.check_password(new)
