"""Your account: each their own password, second factor and sessions, and each change on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hashshare.models import Deed, Person
from tests.admin.cast import PASSWORD, browser, organisation, person
from tests.admin.doors import CODE, RECOVERY, Phone, give_code, give_password, go_through, said, with_phone

pytestmark = pytest.mark.django_db
NEW = "nine patient herons"
FORM = {"old_password": PASSWORD, "password1": NEW, "password2": NEW}


@pytest.fixture
def observer() -> Person:
    return person("observer", organisation("Delta", "partner"))


@pytest.fixture
def phone(observer: Person) -> Phone:
    return with_phone(observer)


def deeds(who: Person) -> list[str]:
    return list(Deed.objects.filter(person=who, row=str(who.pk)).order_by("pk").values_list("what", flat=True))


def test_it_tells_what_is_ones_own(observer: Person, phone: Phone) -> None:
    client = browser(observer)
    browser(observer)
    text = said(client.get("/admin/account/"))
    for part in (observer.email, "Observer of Delta", "2 recovery codes left", "signed in in 2 browsers"):
        assert part in text
    assert client.get("/admin/password_change/")["Location"] == "/admin/account/"


def test_it_counts_no_session_that_has_outlived_its_time(observer: Person, phone: Phone) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        browser(observer)
        clock.shift(timedelta(minutes=31))
        assert "signed in in 1 browser," in said(browser(observer).get("/admin/account/"))


def test_everyone_changes_their_own_password(observer: Person, phone: Phone) -> None:
    client, elsewhere = browser(observer), browser(observer)
    done = client.post("/admin/account/password/", FORM, follow=True)
    assert "Your password is changed" in said(done)
    assert elsewhere.get("/admin/account/").status_code == 302
    assert client.get("/admin/account/").status_code == 200
    observer.refresh_from_db()
    assert observer.check_password(NEW)
    assert deeds(observer) == ["Change own password"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"old_password": "wrong"}, "This is not your password."),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password2": "another"}, "The two passwords differ."),
    ],
)
def test_it_changes_no_password_on_a_mistake(
    observer: Person, phone: Phone, changes: dict[str, str], words: str
) -> None:
    assert words in said(browser(observer).post("/admin/account/password/", FORM | changes))
    observer.refresh_from_db()
    assert observer.check_password(PASSWORD)
    assert deeds(observer) == []


def test_guessing_the_present_password_ends_too(observer: Person, phone: Phone) -> None:
    client = browser(observer)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/admin/account/password/", FORM | {"old_password": "wrong"})
    assert "too often" in said(client.post("/admin/account/password/", FORM))


def test_it_makes_new_recovery_codes_for_who_has_a_code(observer: Person, phone: Phone) -> None:
    client, address = browser(observer), "/admin/account/recovery-codes/"
    assert not CODE.findall(client.get(address).content.decode())
    assert "does not fit" in said(client.post(address, {"code": "000000"}))
    client.post(address, {"code": phone.code()})
    codes = CODE.findall(client.get(address).content.decode())
    assert len(codes) == 10
    assert "2 recovery codes left" in said(client.get("/admin/account/"))  # nothing ends before the last step
    client.post(address, {"step": "codes", "kept": "on"})
    assert "10 recovery codes left" in said(client.get("/admin/account/"))
    assert deeds(observer) == ["Make new recovery codes"]
    again = Client()
    give_password(again, observer.email)
    assert "does not fit" in said(give_code(again, RECOVERY[0]))
    assert give_code(again, codes[0])["Location"] == "/admin/"


def test_it_moves_to_another_phone(observer: Person, phone: Phone) -> None:
    client, address = browser(observer), "/admin/account/authenticator/"
    client.post(address, {"code": RECOVERY[0]})
    new, _, done = go_through(client, address)
    assert done["Location"] == "/admin/account/"
    assert deeds(observer) == ["Move to another app or phone"]
    again = Client()
    give_password(again, observer.email)
    assert "does not fit" in said(give_code(again, phone.code()))
    assert give_code(again, new.code(steps=1))["Location"] == "/admin/"


def test_it_signs_out_everywhere_else(observer: Person, phone: Phone) -> None:
    client, elsewhere = browser(observer), browser(observer)
    assert client.get("/admin/account/sign-out-everywhere/").status_code == 302  # looking ends nothing
    assert elsewhere.get("/admin/account/").status_code == 200
    done = client.post("/admin/account/sign-out-everywhere/", follow=True)
    assert "signed out everywhere else: 1 session." in said(done)
    assert elsewhere.get("/admin/account/").status_code == 302
    assert deeds(observer) == ["Sign out everywhere else"]
