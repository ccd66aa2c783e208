"""An operator lets somebody choose anew, lets in who is shut out, changes a role; each with a reason on record."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from hashshare.models import Deed, Person
from tests.admin.addresses import deed, page
from tests.admin.cast import PASSWORD, browser, person
from tests.admin.conftest import Hub
from tests.admin.doors import come_in, give_code, give_password, go_through, said, with_phone
from tests.admin.test_deeds import shown_once

NEW = {"password1": "nine patient herons", "password2": "nine patient herons"}
HERE = "http://127.0.0.1:8000"


def reset(hub: Hub, renews: str) -> str:
    form = {"renews": renews, "reason": "lost the telephone"}
    return shown_once(browser(hub.operator), deed(hub.engineer, "reset"), **form).removeprefix(HERE)


def test_a_reset_of_both_ends_the_old_at_once_and_sets_all_anew(hub: Hub) -> None:
    phone, there = with_phone(hub.engineer), browser(hub.engineer)
    asked = said(browser(hub.operator).get(deed(hub.engineer, "reset")))
    assert "signed out everywhere" in asked
    assert there.get("/admin/").status_code == 200  # looking changes nothing
    address = reset(hub, "both")
    assert there.get("/admin/").status_code == 302
    assert "do not go together" in said(give_password(Client(), hub.engineer.email))
    client = Client()
    new, codes, done = go_through(client, address, **NEW)
    assert (len(codes), done["Location"]) == (10, "/admin/")
    assert client.get("/admin/").status_code == 200
    assert client.get(address).status_code == 404
    again = Client()
    give_password(again, hub.engineer.email, NEW["password1"])
    assert "does not fit" in said(give_code(again, phone.code()))
    assert give_code(again, new.code(steps=1)).status_code == 302
    noted = Deed.objects.filter(row=str(hub.engineer.pk)).order_by("pk")
    assert [(one.what, one.person, one.reason) for one in noted] == [
        ("Reset the sign-in", hub.operator, "lost the telephone"),
        ("Set both anew", hub.engineer, ""),
    ]


def test_a_reset_of_the_password_keeps_the_phone_and_asks_for_it(hub: Hub) -> None:
    phone, client = with_phone(hub.engineer), Client()
    address = reset(hub, "password")
    done = client.post(address, {"step": "password"} | NEW)
    assert done["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302
    give_password(client, hub.engineer.email, NEW["password1"])
    assert give_code(client, phone.code())["Location"] == "/admin/"


def test_a_reset_of_the_second_factor_keeps_the_password_and_asks_for_it(hub: Hub) -> None:
    with_phone(hub.engineer)
    there = browser(hub.engineer)
    address, client, thief = reset(hub, "second factor"), Client(), Client()
    assert there.get("/admin/").status_code == 302
    give_password(thief, hub.engineer.email)  # who has the password has nothing of it
    assert "was reset" in said(thief.get("/admin/login/code/", follow=True))
    give_password(thief, hub.engineer.email)
    assert thief.get("/admin/login/set-up/").status_code == 302
    new, _, done = go_through(client, address)
    assert done["Location"] == "/admin/login/"
    assert client.get("/admin/").status_code == 302
    give_password(client, hub.engineer.email)
    assert give_code(client, new.code(steps=1))["Location"] == "/admin/"


def test_a_second_reset_voids_the_first(hub: Hub) -> None:
    with_phone(hub.engineer)
    first, second = reset(hub, "both"), reset(hub, "both")
    assert "It ran out" in said(Client().get(first))
    assert Client().get(second).status_code == 200


def test_a_reset_is_good_for_two_days_and_void_when_the_person_leaves(hub: Hub) -> None:
    address = reset(hub, "both")
    with time_machine.travel(timezone.now() + timedelta(days=2, minutes=1)):
        assert Client().get(address).status_code == 404
    assert Client().get(address).status_code == 200
    browser(hub.operator).post(deed(hub.engineer, "leaves"), {"reason": "left"})
    assert Client().get(address).status_code == 404


def test_nobody_resets_themselves(hub: Hub) -> None:
    client = browser(hub.operator)
    assert deed(hub.operator, "reset") not in client.get(page(hub.operator)).content.decode()
    assert client.post(deed(hub.operator, "reset"), {"renews": "both", "reason": "why not"}).status_code == 403
    hub.operator.refresh_from_db()
    assert hub.operator.check_password(PASSWORD)


def test_the_last_operator_is_reset_at_the_machine(hub: Hub) -> None:
    out, err, client = StringIO(), StringIO(), Client()
    call_command("reset_person", hub.operator.email, "--reason", "lost all", stdout=out, stderr=err)
    go_through(client, out.getvalue().strip().removeprefix(HERE), **NEW)
    assert client.get("/admin/timetable/").status_code == 200
    noted = Deed.objects.get(row=str(hub.operator.pk), what="Reset the sign-in")
    assert (noted.person, noted.reason) == (None, "lost all")


def test_an_operator_lets_in_who_is_shut_out(hub: Hub) -> None:
    phone, client, address = with_phone(hub.engineer), Client(), deed(hub.engineer, "let-in")
    assert address not in browser(hub.operator).get(page(hub.engineer)).content.decode()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        give_password(client, hub.engineer.email, "wrong")
    assert "too often" in said(give_password(client, hub.engineer.email))
    assert address in browser(hub.operator).get(page(hub.engineer)).content.decode()
    browser(hub.operator).post(address, {"reason": "she telephoned"})
    assert come_in(client, hub.engineer, phone)["Location"] == "/admin/"
    assert Deed.objects.get(what="Let in again").reason == "she telephoned"


def test_an_operator_lets_in_after_twenty_wrong_codes(hub: Hub) -> None:
    phone = with_phone(hub.engineer)
    for number in range(20):
        elsewhere = Client(REMOTE_ADDR=f"192.0.2.{number}")
        give_password(elsewhere, hub.engineer.email)
        give_code(elsewhere, "000000")
    client = Client(REMOTE_ADDR="192.0.2.99")
    browser(hub.operator).post(deed(hub.engineer, "let-in"), {"reason": "she telephoned"})
    assert come_in(client, hub.engineer, phone)["Location"] == "/admin/"


def test_an_operator_changes_a_role_within_the_organisation(hub: Hub) -> None:
    there = browser(hub.engineer)
    form = {"role": "analyst", "reason": "new post"}
    browser(hub.operator).post(deed(hub.engineer, "change-role"), form)
    assert there.get("/admin/").status_code == 302
    assert Person.objects.get(pk=hub.engineer.pk).role == "analyst"
    noted = Deed.objects.get(what="Change the role")
    assert (noted.noted, noted.reason) == ("From engineer to analyst", "new post")
    answer = browser(hub.operator).post(deed(hub.engineer, "change-role"), form | {"role": "operator"})
    assert "is not one of the available choices" in said(answer)
    assert deed(hub.operator, "change-role") not in browser(hub.operator).get(page(hub.operator)).content.decode()


@pytest.mark.parametrize("slug", ["reset", "let-in", "change-role"])
def test_only_operators_do_any_of_it(hub: Hub, slug: str) -> None:
    colleague = person("analyst", hub.aurora.member)
    client, address = browser(colleague), deed(hub.engineer, slug)
    assert client.get(address).status_code == 403
    assert client.post(address, {"renews": "both", "role": "analyst", "reason": "mine"}).status_code == 403
