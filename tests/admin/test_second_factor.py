"""The second page of the sign-in: which codes are taken, how often, and setting it up at the first sign-in."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import timezone

from hashshare.models import Authenticator, Deed, Person, RecoveryCode
from hashshare.services.second_factors import check_second_factor, new_key
from tests.admin.cast import organisation, person
from tests.admin.doors import RECOVERY, Phone, come_in, give_code, give_password, go_through, said, with_phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer() -> Person:
    return person("engineer", organisation("Cobalt", "member"))


@pytest.fixture
def phone(engineer: Person) -> Phone:
    return with_phone(engineer)


def test_it_takes_a_code_once(engineer: Person, phone: Phone) -> None:
    first, second = Client(), Client()
    with time_machine.travel(timezone.now(), tick=False):
        assert come_in(first, engineer, phone)["Location"] == "/admin/"
        give_password(second, engineer.email)
        assert "it was used before" in said(give_code(second, phone.code()))
        assert "it was used before" in said(give_code(second, phone.code(steps=-1)))
        assert give_code(second, phone.code(steps=1))["Location"] == "/admin/"


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_it_takes_codes_of_a_clock_that_is_half_a_minute_off(
    client: Client, engineer: Person, phone: Phone, steps: int, taken: bool
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        answer = come_in(client, engineer, phone, steps=steps)
    assert (answer.status_code == 302) == taken


def test_it_does_not_learn_to_trust_a_clock_that_runs_away(engineer: Person) -> None:
    phone = with_phone(engineer)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(4):
            assert check_second_factor(person=engineer, code=phone.code(steps=1), now=timezone.now()).good
            clock.shift(timedelta(minutes=2))
        assert not check_second_factor(person=engineer, code=phone.code(steps=2), now=timezone.now()).good


def test_it_takes_spaces_within_a_code(client: Client, engineer: Person, phone: Phone) -> None:
    code = phone.code()
    give_password(client, engineer.email)
    assert give_code(client, f" {code[:3]} {code[3:]} ")["Location"] == "/admin/"


def test_it_takes_a_recovery_code_once_however_it_is_typed(engineer: Person, phone: Phone) -> None:
    first, second = Client(), Client()
    give_password(first, engineer.email)
    assert give_code(first, RECOVERY[0].lower().replace("-", " "))["Location"] == "/admin/"
    assert "1 recovery code left" in said(first.get("/admin/"))
    give_password(second, engineer.email)
    assert "does not fit" in said(give_code(second, RECOVERY[0]))


def test_it_takes_nobody_elses_code(client: Client, engineer: Person, phone: Phone) -> None:
    other = person("analyst", engineer.organisation)
    others = with_phone(other)
    give_password(client, engineer.email)
    assert "does not fit" in said(give_code(client, others.code()))
    moved = Authenticator.objects.get(person=other)
    Authenticator.objects.filter(person=engineer).update(sealed_key=moved.sealed_key)
    # Even who writes into the database cannot make another's app theirs.
    assert "cannot read your second factor" in said(give_code(client, others.code()))


def test_it_keeps_no_secret_in_clear(engineer: Person, phone: Phone) -> None:
    sealed = bytes(Authenticator.objects.get().sealed_key)
    assert phone.key not in sealed
    assert phone.key.hex() not in sealed.hex()
    kept = str(list(RecoveryCode.objects.values()))
    for code in RECOVERY:
        assert code not in kept
        assert code.replace("-", "") not in kept


def test_it_says_so_when_the_hubs_secret_is_another(client: Client, engineer: Person, phone: Phone) -> None:
    with override_settings(SECRET_KEY="another secret of the hub, of some length"):
        give_password(client, engineer.email)
        assert "cannot read your second factor any more" in said(give_code(client, phone.code()))
        assert client.get("/admin/").status_code == 302


def operator() -> Person:
    out = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HASHSHARE_OPERATOR_PASSWORD", "seven quiet herons")
        call_command("createoperator", "--email", "op@north.example", stdout=out)
    assert "set up at the first sign-in" in out.getvalue()
    return Person.objects.get(email="op@north.example")


def test_an_operator_of_the_command_line_sets_it_up_at_the_first_sign_in(client: Client) -> None:
    made = operator()
    give_password(client, made.email, "seven quiet herons", next="/admin/timetable/")
    assert client.get("/admin/login/code/")["Location"] == "/admin/login/set-up/"
    assert client.get("/admin/timetable/").status_code == 302  # not yet
    _, codes, done = go_through(client, "/admin/login/set-up/")
    assert done["Location"] == "/admin/timetable/"
    assert client.get("/admin/timetable/").status_code == 200
    assert len(codes) == 10
    assert [deed.what for deed in Deed.objects.order_by("pk")] == ["Create an operator", "Set up the second factor"]
    made.refresh_from_db()
    assert not made.second_factor_due
    again = Client()
    give_password(again, made.email, "seven quiet herons")
    assert give_code(again, codes[3])["Location"] == "/admin/"


def test_it_sets_up_nothing_twice(client: Client) -> None:
    """Another browser with the password finds the door closed as soon as the first is through."""
    made, late = operator(), Client()
    give_password(late, made.email, "seven quiet herons")
    theirs = Phone.scanned(late.get("/admin/login/set-up/").content.decode())
    give_password(client, made.email, "seven quiet herons")
    go_through(client, "/admin/login/set-up/")
    for step in ({"step": "authenticator", "code": theirs.code()}, {"step": "codes", "kept": "on"}):
        assert late.post("/admin/login/set-up/", step)["Location"] == "/admin/login/"
    assert late.get("/admin/").status_code == 302


def test_it_sets_up_nothing_for_who_is_not_due(client: Client, engineer: Person) -> None:
    """Such as after a reset, or when a row is gone: the password alone is not enough then."""
    give_password(client, engineer.email)
    assert "was reset" in said(client.get("/admin/login/code/", follow=True))
    give_password(client, engineer.email)
    assert client.get("/admin/login/set-up/")["Location"] == "/admin/login/"
    assert not Authenticator.objects.exists()


def test_it_refuses_a_code_of_another_secret_while_setting_up(client: Client) -> None:
    made = operator()
    give_password(client, made.email, "seven quiet herons")
    client.get("/admin/login/set-up/")
    answer = client.post("/admin/login/set-up/", {"step": "authenticator", "code": Phone(new_key()).code()})
    assert "This code does not fit" in said(answer)
    assert not Authenticator.objects.exists()
