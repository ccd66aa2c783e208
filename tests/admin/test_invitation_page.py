"""The page behind a person's one-time link."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.models import Organisation, Person
from hashshare.services.invitations import invite_organisation, invite_person
from hashshare.services.organisations import suspend_organisation
from tests.admin.cast import organisation, person

PASSWORD = "seven quiet herons"
FORM = {"name": "Ada Adviser", "password1": PASSWORD, "password2": PASSWORD}
TOKEN = re.compile(r'(?:value|nonce)="[A-Za-z0-9]{32,}"')


@pytest.fixture
def delta(db: None) -> Organisation:
    return organisation("Delta", "partner")


def link(delta: Organisation, *, email: str = "adviser@delta.example", valid_for: timedelta = timedelta(1)) -> str:
    _, code = invite_person(role="observer", organisation=delta, email=email, now=timezone.now(), valid_for=valid_for)
    return f"/invitation/{code}/"


def plain(text: str) -> str:
    return TOKEN.sub("", text)


def test_it_sets_a_password_signs_in_and_the_link_dies(client: Client, delta: Organisation) -> None:
    address = link(delta)
    done = client.post(address, FORM, follow=True)
    assert done.redirect_chain == [("/admin/login/", 302)]
    assert "Your password is set." in done.content.decode()
    made = Person.objects.get(email="adviser@delta.example")
    assert (made.name, made.role, made.organisation) == ("Ada Adviser", "observer", delta)
    signed_in = client.post("/admin/login/", {"username": made.email, "password": PASSWORD, "next": "/admin/"})
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/admin/")
    assert client.get(address).status_code == 404
    other = "another long sentence"
    assert client.post(address, FORM | {"password1": other, "password2": other}).status_code == 404
    made.refresh_from_db()
    assert made.check_password(PASSWORD)


def test_it_is_not_used_up_by_being_looked_at(client: Client, delta: Organisation) -> None:
    address = link(delta)
    for _ in range(3):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200
    assert client.post(address, FORM).status_code == 302


def test_it_gives_every_dead_link_the_same_answer(client: Client, delta: Organisation) -> None:
    used, expired = link(delta), link(delta, email="late@delta.example", valid_for=timedelta(seconds=-1))
    client.post(used, FORM)
    _, machines = invite_organisation(kind="member", name="Cobalt", country="NL", now=timezone.now())
    closed = organisation("Ceres", "partner")
    of_suspended = link(closed, email="x@ceres.example")
    suspend_organisation(organisation=closed)
    unknown = [f"/invitation/{machines}/", "/invitation/AAAA-BBBB-CCCC/", "/invitation/x/"]
    answers = [Client().get(address) for address in (used, expired, of_suspended, *unknown)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({plain(answer.content.decode()) for answer in answers}) == 1
    assert "This link does not work" in answers[0].content.decode()
    assert not Person.objects.filter(email__in=["late@delta.example", "x@ceres.example"]).exists()


def test_it_keeps_dead_links_dead_for_posts(client: Client, delta: Organisation) -> None:
    expired = link(delta, valid_for=timedelta(seconds=-1))
    assert client.post(expired, FORM).status_code == 404
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        (PASSWORD, PASSWORD + "x", "The two passwords differ."),
        ("", "", "This field is required."),
    ],
)
def test_it_refuses_a_bad_password_and_leaves_the_link_good(
    client: Client, delta: Organisation, first: str, second: str, said: str
) -> None:
    address = link(delta)
    answer = client.post(address, {"name": "", "password1": first, "password2": second})
    assert said in answer.content.decode()
    assert not Person.objects.exists()
    assert client.post(address, FORM).status_code == 302


def test_it_asks_for_the_address_only_when_the_invitation_names_none(client: Client, delta: Organisation) -> None:
    assert 'name="email"' not in client.get(link(delta)).content.decode()
    address = link(delta, email="")
    assert 'name="email"' in client.get(address).content.decode()
    assert "This field is required." in client.post(address, FORM).content.decode()
    client.post(address, FORM | {"email": "Chosen@Delta.example"})
    assert Person.objects.get().email == "chosen@delta.example"


def test_it_does_not_let_the_invited_take_another_address_or_role(client: Client, delta: Organisation) -> None:
    client.post(link(delta), FORM | {"email": "operator@hub.example", "role": "operator", "organisation": ""})
    made = Person.objects.get()
    assert (made.email, made.role, made.organisation) == ("adviser@delta.example", "observer", delta)


def test_it_refuses_an_address_that_has_an_account(client: Client, delta: Organisation) -> None:
    there = person("observer", delta)
    answer = client.post(link(delta, email=there.email), FORM)
    assert "cannot be used for this account" in answer.content.decode()
    assert Person.objects.get().check_password(PASSWORD) is False


def test_it_is_not_cached_and_not_passed_on_as_a_referrer(client: Client, delta: Organisation) -> None:
    answer = client.get(link(delta))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_it_refuses_a_forged_form(delta: Organisation) -> None:
    assert Client(enforce_csrf_checks=True).post(link(delta), FORM).status_code == 403
    assert not Person.objects.exists()
