"""Sessions end by time, by role and by a new password; a form that came too late is kept for who wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone

from hashshare.models import Organisation, Person
from hashshare.selectors.people import VERIFIED
from hashshare.services.people import change_role, end_sessions, someone_leaves
from tests.admin.addresses import deed
from tests.admin.cast import browser, organisation, person, sign_in
from tests.admin.doors import Phone, come_in, give_code, give_password, said, with_phone

pytestmark = pytest.mark.django_db
LATE = timedelta(minutes=31)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def cobalt(db: None) -> Organisation:
    return organisation("Cobalt", "member")


@pytest.fixture
def operator(db: None) -> Person:
    return person("operator")


@pytest.fixture
def phone(operator: Person) -> Phone:
    return with_phone(operator)


def test_a_session_ends_after_half_an_hour_without_use(clock: Any, operator: Person) -> None:
    client = browser(operator)
    for _ in range(4):
        clock.shift(timedelta(minutes=29))
        assert client.get("/admin/").status_code == 200
    clock.shift(LATE)
    answer = client.get("/admin/timetable/", follow=True)
    assert answer.redirect_chain == [("/admin/login/?next=/admin/timetable/", 302)]
    assert "Your session ended after 30 minutes in which nothing was done." in said(answer)


def test_a_session_ends_after_twelve_hours_whatever_is_done(clock: Any, operator: Person) -> None:
    client = browser(operator)
    for _ in range(12 * 3 - 1):
        clock.shift(timedelta(minutes=20))
        assert client.get("/admin/account/").status_code == 200
    clock.shift(timedelta(minutes=20))
    assert "Your session ended after 12 hours" in said(client.get("/admin/", follow=True))


@override_settings(HASHSHARE_IDLE_MINUTES=5, HASHSHARE_SESSION_HOURS=1)
def test_both_times_are_settings(clock: Any, operator: Person) -> None:
    client = browser(operator)
    clock.shift(timedelta(minutes=4))
    assert client.get("/admin/").status_code == 200
    clock.shift(timedelta(minutes=5))
    assert "after 5 minutes" in said(client.get("/admin/", follow=True))


def test_it_does_not_write_at_every_request(clock: Any, operator: Person) -> None:
    client = browser(operator)
    client.get("/admin/")
    before = client.session[VERIFIED]["seen"]
    clock.shift(timedelta(seconds=50))
    client.get("/admin/")
    assert client.session[VERIFIED]["seen"] == before
    clock.shift(timedelta(seconds=50))
    client.get("/admin/")
    assert client.session[VERIFIED]["seen"] > before


def test_a_session_ends_when_the_role_changes(cobalt: Organisation) -> None:
    engineer = person("engineer", cobalt)
    client = browser(engineer)
    Person.objects.filter(pk=engineer.pk).update(role="analyst")  # by whatever way
    assert "your role has changed" in said(client.get("/admin/", follow=True))


@pytest.mark.parametrize("how", ["password", "leaves", "role", "everywhere"])
def test_every_session_of_a_person_ends_and_nobody_elses(cobalt: Organisation, how: str) -> None:
    engineer = person("engineer", cobalt)
    browsers, other = [browser(engineer), browser(engineer)], browser(person("analyst", cobalt))
    now = timezone.now()
    if how == "password":
        engineer.set_password("another quiet heron")
        engineer.save()
    elif how == "leaves":
        someone_leaves(person=engineer, by="op@north.example", now=now)
    elif how == "role":
        change_role(person=engineer, role="analyst", now=now)
    else:
        assert end_sessions(person=engineer, now=now) == 2
    for client in browsers:
        assert client.get("/admin/account/")["Location"].startswith("/admin/login/")
    assert other.get("/admin/account/").status_code == 200


def test_a_session_without_a_second_factor_opens_nothing(operator: Person) -> None:
    """Such as one from before there was one, however it came about."""
    client = Client()
    client.force_login(operator)
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/").status_code == 302


def test_cookies_are_for_this_hub_and_no_script(client: Client, operator: Person, phone: Phone) -> None:
    come_in(client, operator, phone)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert client.cookies["csrftoken"]["httponly"] is True


def test_machines_get_answers_that_depend_on_no_cookie(client: Client) -> None:
    assert "Cookie" not in client.get("/healthz").get("Vary", "")
    assert "Cookie" not in client.get("/api/v1/heads").get("Vary", "")


# --- Forms that came too late ----------------------------------------------------------------------------------------


def sent_too_late(clock: Any, client: Client, cobalt: Organisation, **form: Any) -> Any:
    assert client.get(deed(cobalt, "suspend")).status_code == 200
    clock.shift(LATE)
    return client.post(deed(cobalt, "suspend"), {"reason": "found in\na public place"} | form, follow=True)


def test_a_form_is_kept_and_done_when_it_is_sent_again(
    clock: Any, operator: Person, phone: Phone, cobalt: Organisation
) -> None:
    client = browser(operator)
    told = said(sent_too_late(clock, client, cobalt))
    assert "What you sent was not done, but is kept" in told
    assert come_in(client, operator, phone)["Location"] == "/admin/kept-form/"
    page = client.get("/admin/kept-form/").content.decode()
    assert f'action="{deed(cobalt, "suspend")}"' in page
    assert "found in<br>a public place" in page
    cobalt.refresh_from_db()
    assert cobalt.state == "active"
    assert client.post(deed(cobalt, "suspend"), {"reason": "found in\na public place"}).status_code == 302
    cobalt.refresh_from_db()
    assert cobalt.state == "suspended"
    assert client.get("/admin/kept-form/")["Location"] == "/admin/"  # once


def test_a_kept_form_may_be_dropped(clock: Any, operator: Person, phone: Phone, cobalt: Organisation) -> None:
    client = browser(operator)
    sent_too_late(clock, client, cobalt)
    come_in(client, operator, phone)
    assert client.post("/admin/kept-form/")["Location"] == deed(cobalt, "suspend")
    assert client.get("/admin/kept-form/")["Location"] == "/admin/"


def test_a_kept_form_is_shown_to_nobody_else(clock: Any, operator: Person, cobalt: Organisation) -> None:
    client, other = browser(operator), person("engineer", cobalt)
    phone = with_phone(other)
    sent_too_late(clock, client, cobalt)
    assert come_in(client, other, phone)["Location"] == "/admin/"
    assert client.get("/admin/kept-form/")["Location"] == "/admin/"
    assert "public place" not in str([session.get_decoded() for session in Session.objects.all()])


def test_no_secret_and_no_file_is_kept(clock: Any, operator: Person, cobalt: Organisation) -> None:
    client = browser(operator)
    secrets = {"password1": "first secret", "old_password": "second secret", "code": "third secret"}
    file = SimpleUploadedFile("list.csv", b"fourth secret")
    told = said(sent_too_late(clock, client, cobalt, **secrets, file=file))
    assert "Files are not" in told
    held = str([session.get_decoded() for session in Session.objects.all()])
    assert "public place" in held
    assert "secret" not in held


def test_what_is_too_much_is_said_to_be_lost(clock: Any, operator: Person, cobalt: Organisation) -> None:
    client = browser(operator)
    told = said(sent_too_late(clock, client, cobalt, more="x" * (2 * 1024 * 1024)))
    assert "It is too long to be kept for you: 2 MiB at most." in told


def test_a_long_form_is_kept_whole_and_shown_in_part(clock: Any, operator: Person, cobalt: Organisation) -> None:
    client = browser(operator)
    keys = "\n".join(f"{number:064x}" for number in range(20_000))
    assert "is kept" in said(sent_too_late(clock, client, cobalt, keys=keys))
    sign_in(client, operator)
    page = client.get("/admin/kept-form/").content.decode()
    assert keys in page
    shown = page[page.index('<dl class="kept">') : page.index("</dl>")]
    assert "more characters)" in shown
    assert len(shown) < 10_000


def test_a_stranger_leaves_nothing(client: Client, operator: Person, cobalt: Organisation) -> None:
    answer = client.post(deed(cobalt, "suspend"), {"reason": "mine"}, follow=True)
    assert "could not be kept" in said(answer)
    assert "mine" not in str([session.get_decoded() for session in Session.objects.all()])


def test_a_forged_form_is_not_kept(clock: Any, operator: Person, phone: Phone, cobalt: Organisation) -> None:
    """Else a stranger's page could lay a form before who signs in next."""
    client = browser(operator)
    client.handler.enforce_csrf_checks = True
    clock.shift(LATE)
    assert client.post(deed(cobalt, "suspend"), {"reason": "forged"}).status_code == 403
    client.handler.enforce_csrf_checks = False
    give_password(client, operator.email)
    assert give_code(client, phone.code())["Location"] == "/admin/"
