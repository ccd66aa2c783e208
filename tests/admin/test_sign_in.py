"""Signing in to the pages, and out: nobody comes in without password and second factor."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hashshare.models import Person
from hashshare.services.lockout import MOST_OF_AN_ADDRESS
from hashshare.services.organisations import suspend_organisation
from hashshare.services.people import deactivate_person
from tests.admin.cast import PASSWORD, organisation, person
from tests.admin.doors import Phone, come_in, give_code, give_password, said, with_phone

pytestmark = pytest.mark.django_db
FAILURES: int = settings.AXES_FAILURE_LIMIT
COOL_OFF: timedelta = settings.AXES_COOLOFF_TIME
WRONG = "This e-mail address and password do not go together."


@pytest.fixture
def engineer() -> Person:
    return person("engineer", organisation("Cobalt", "member"))


@pytest.fixture
def phone(engineer: Person) -> Phone:
    return with_phone(engineer)


def test_it_signs_in_by_password_and_code_and_out(client: Client, engineer: Person, phone: Phone) -> None:
    first = give_password(client, engineer.email, next="/admin/expiring/")
    assert first["Location"] == "/admin/login/code/"
    assert engineer.email in said(client.get("/admin/login/code/"))
    assert give_code(client, phone.code())["Location"] == "/admin/expiring/"
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").status_code == 302


def test_it_lets_nobody_in_by_the_password_alone(client: Client, engineer: Person, phone: Phone) -> None:
    give_password(client, engineer.email)
    for path in ("/admin/", "/admin/account/", "/admin/expiring/", "/admin/account/authenticator/"):
        assert client.get(path)["Location"].startswith("/admin/login/"), path


def test_it_lets_nobody_in_by_the_code_alone(client: Client, engineer: Person, phone: Phone) -> None:
    assert give_code(client, phone.code())["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302


def test_it_forgets_the_password_after_a_while(client: Client, engineer: Person, phone: Phone) -> None:
    give_password(client, engineer.email)
    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        answer = client.post("/admin/login/code/", {"code": phone.code()}, follow=True)
    assert "Too much time has passed" in said(answer)


def test_it_forgets_the_password_when_it_changes_meanwhile(client: Client, engineer: Person, phone: Phone) -> None:
    give_password(client, engineer.email)
    engineer.set_password("another quiet heron")
    engineer.save()
    assert give_code(client, phone.code())["Location"] == "/admin/login/"


def test_it_gives_the_session_another_key_at_each_step(client: Client, engineer: Person, phone: Phone) -> None:
    """Whoever planted a session key before the sign-in has nothing of it afterwards."""
    client.get("/admin/")
    give_password(client, engineer.email)
    between = client.session.session_key
    give_code(client, phone.code())
    assert client.session.session_key != between
    assert not type(client.session)(between).load()


def test_it_does_not_care_how_the_address_is_capitalised(client: Client, engineer: Person, phone: Phone) -> None:
    assert give_password(client, f" {engineer.email.upper()}").status_code == 302


def test_it_does_not_say_which_addresses_are_known(client: Client, engineer: Person, phone: Phone) -> None:
    closed = person("analyst", engineer.organisation)
    deactivate_person(person=closed)
    for email in (engineer.email, "nobody@cobalt.example", closed.email):
        text = said(give_password(client, email, "wrong"))
        assert WRONG in text, email
    for _ in range(FAILURES):
        give_password(client, engineer.email, "wrong")
        give_password(client, "nobody@cobalt.example", "wrong")
    known, unknown = (give_password(client, email, "wrong") for email in (engineer.email, "nobody@cobalt.example"))
    assert "too often" in said(known)
    assert "too often" in said(unknown)


def test_it_ends_guessing(client: Client, engineer: Person, phone: Phone) -> None:
    for _ in range(FAILURES):
        assert WRONG in said(give_password(client, engineer.email, "wrong"))
    assert "tried too often. Try again in 15 minutes" in said(give_password(client, engineer.email))
    assert "too often" in said(give_password(client, engineer.email.upper()))


def test_it_ends_guessing_of_codes(client: Client, engineer: Person, phone: Phone) -> None:
    for _ in range(FAILURES):
        give_password(client, engineer.email)
        assert "does not fit" in said(give_code(client, "000000"))
    assert "too often" in said(give_code(client, phone.code()))
    assert "too often" in said(give_password(client, engineer.email))


def test_it_closes_after_twenty_wrong_codes_from_wherever(engineer: Person, phone: Phone) -> None:
    for number in range(20):
        elsewhere = Client(REMOTE_ADDR=f"192.0.2.{number}")
        give_password(elsewhere, engineer.email)
        give_code(elsewhere, "000000")
    fresh = Client(REMOTE_ADDR="192.0.2.99")
    give_password(fresh, engineer.email)
    answer = give_code(fresh, phone.code())
    assert "until an operator lets you in again" in said(answer)
    assert fresh.get("/admin/").status_code == 302


def test_it_keeps_nobody_out_for_the_failures_of_others(client: Client, engineer: Person, phone: Phone) -> None:
    for _ in range(FAILURES):
        give_password(client, engineer.email, "wrong")
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert come_in(elsewhere, engineer, phone)["Location"] == "/admin/"
    assert give_password(client, person("analyst", engineer.organisation).email).status_code == 302


def test_it_ends_guessing_at_many_accounts(client: Client, engineer: Person, phone: Phone) -> None:
    for number in range(MOST_OF_AN_ADDRESS):
        give_password(client, f"nobody{number}@cobalt.example", "wrong")
    assert "too often" in said(give_password(client, engineer.email))


def test_it_lets_in_again_after_a_while(client: Client, engineer: Person, phone: Phone) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(FAILURES):
            give_password(client, engineer.email, "wrong")
        for _ in range(3):  # trying on while it is closed keeps nobody out for longer
            clock.shift(COOL_OFF / 4)
            assert "too often" in said(give_password(client, engineer.email))
        clock.shift(COOL_OFF / 4 + timedelta(seconds=1))
        assert come_in(client, engineer, phone)["Location"] == "/admin/"


def test_a_sign_in_forgets_the_failures_before_it(client: Client, engineer: Person, phone: Phone) -> None:
    for _ in range(FAILURES - 1):
        give_password(client, engineer.email, "wrong")
    come_in(client, engineer, phone)
    client.post("/admin/logout/")
    assert WRONG in said(give_password(client, engineer.email, "wrong"))
    assert WRONG in said(give_password(client, engineer.email, "wrong"))


def test_it_counts_by_the_address_that_a_trusted_proxy_names(engineer: Person, phone: Phone) -> None:
    def browser(named: str, *, by: str) -> Client:
        return Client(REMOTE_ADDR=by, HTTP_X_FORWARDED_FOR=named)

    for _ in range(FAILURES):
        give_password(browser("192.0.2.1", by="127.0.0.1"), engineer.email, "wrong")
    assert "too often" in said(give_password(browser("192.0.2.1", by="127.0.0.1"), engineer.email))
    assert give_password(browser("192.0.2.2", by="127.0.0.1"), engineer.email).status_code == 302
    # Nobody talks their way out by a name that no trusted proxy wrote.
    assert "too often" in said(give_password(browser("192.0.2.9", by="192.0.2.1"), engineer.email))
    assert "too often" in said(give_password(browser("192.0.2.9, 192.0.2.1", by="127.0.0.1"), engineer.email))


def test_it_keeps_no_password_and_no_code_of_failures(client: Client, engineer: Person, phone: Phone) -> None:
    give_password(client, engineer.email, "a secret of somebody")
    give_password(client, engineer.email)
    give_code(client, "123123")
    kept = str(list(AccessAttempt.objects.values()))
    assert AccessAttempt.objects.exists()
    for secret in ("a secret of somebody", "123123", PASSWORD):
        assert secret not in kept


@pytest.mark.parametrize("junk", ["\0", "x" * 100_000, "\ud7ff\U0001f512", "' OR 1=1 --", ""])
def test_it_takes_junk_calmly(client: Client, engineer: Person, phone: Phone, junk: str) -> None:
    assert give_password(client, junk, junk).status_code == 200
    assert give_password(client, engineer.email, junk).status_code == 200
    give_password(client, engineer.email)
    assert give_code(client, junk).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_it_refuses_people_of_a_suspended_organisation(client: Client, engineer: Person, phone: Phone) -> None:
    assert engineer.organisation is not None
    give_password(client, engineer.email)
    suspend_organisation(organisation=engineer.organisation)
    assert give_code(client, phone.code())["Location"] == "/admin/login/"
    assert "This account is closed. Ask the hub's operator." in said(give_password(client, engineer.email))


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_it_does_not_send_people_to_other_sites(client: Client, engineer: Person, phone: Phone, path: str) -> None:
    give_password(client, engineer.email, next=path)
    assert give_code(client, phone.code())["Location"] == "/admin/"


def test_a_double_click_leads_where_the_first_did(client: Client, engineer: Person, phone: Phone) -> None:
    come_in(client, engineer, phone)
    assert give_code(client, phone.code())["Location"] == "/admin/"
    assert client.get("/admin/login/code/")["Location"] == "/admin/"
    assert client.get("/admin/login/")["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_form_from_before_is_refused_in_plain_words(engineer: Person) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": engineer.email, "password": PASSWORD})
    assert answer.status_code == 403
    assert "This form is out of date" in said(answer)
    assert "Nothing was changed" in said(answer)
