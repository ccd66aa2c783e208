"""The page behind a person's one-time link: password, phone, recovery codes, and then it is dead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from hashshare.models import Authenticator, Deed, Invitation, Organisation, Person, RecoveryCode
from hashshare.services.invitations import invite_organisation, invite_person
from hashshare.services.organisations import suspend_organisation
from tests.admin.cast import organisation, person
from tests.admin.doors import CODE, SECRET, Phone, give_code, give_password, go_through, said

PASSWORD = "seven quiet herons"
FORM = {"name": "Ada Adviser", "password1": PASSWORD, "password2": PASSWORD}
FIRST = {"step": "password"} | FORM


@pytest.fixture
def delta(db: None) -> Organisation:
    return organisation("Delta", "partner")


def link(delta: Organisation, *, email: str = "adviser@delta.example", valid_for: timedelta = timedelta(1)) -> str:
    _, code = invite_person(role="observer", organisation=delta, email=email, now=timezone.now(), valid_for=valid_for)
    return f"/invitation/{code}/"


def test_it_sets_up_everything_signs_in_and_the_link_dies(client: Client, delta: Organisation) -> None:
    address = link(delta)
    phone, codes, done = go_through(client, address, **FORM)
    assert done["Location"] == "/admin/"
    assert client.get("/admin/statistics/").status_code == 200
    made = Person.objects.get(email="adviser@delta.example")
    assert (made.name, made.role, made.organisation) == ("Ada Adviser", "observer", delta)
    assert (len(codes), RecoveryCode.objects.filter(person=made).count()) == (10, 10)
    assert Deed.objects.get(person=made).what == "Accept an invitation"
    # The link and the code of the set-up are used up; the next code signs in.
    other = "another long sentence"
    late = Client().post(address, FIRST | {"password1": other, "password2": other})
    assert late.status_code == 404
    assert "It was used on" in said(late)
    again = Client()
    give_password(again, made.email, PASSWORD)
    assert "does not fit" in said(give_code(again, phone.code()))
    assert give_code(again, phone.code(steps=1)).status_code == 302


def test_each_step_survives_loading_the_page_again_and_closing_the_tab(client: Client, delta: Organisation) -> None:
    address = link(delta)
    client.post(address, FIRST)
    secrets = {tuple(SECRET.findall(client.get(address).content.decode())) for _ in range(3)}
    assert len(secrets) == 1
    phone = Phone.scanned(client.get(address).content.decode())
    client.post(address, {"step": "authenticator", "code": phone.code()})
    shown = {tuple(CODE.findall(client.get(address).content.decode())) for _ in range(3)}
    assert len(shown) == 1
    assert not Person.objects.exists()
    assert Invitation.objects.get(kind="person").used_at is None


def test_another_browser_begins_anew_and_the_first_through_wins(client: Client, delta: Organisation) -> None:
    address, other = link(delta), Client()
    client.post(address, FIRST)
    assert 'name="password1"' in other.get(address).content.decode()
    assert go_through(other, address, **FORM)[2].status_code == 302
    assert client.get(address).status_code == 404
    assert client.post(address, {"step": "codes", "kept": "on"}).status_code == 404
    assert Person.objects.count() == 1


def test_a_double_click_and_a_second_tab_do_nothing_twice(client: Client, delta: Organisation) -> None:
    address = link(delta)
    for _ in range(2):
        assert client.post(address, FIRST).status_code == 302
    phone = Phone.scanned(client.get(address).content.decode())
    for _ in range(2):
        assert client.post(address, {"step": "authenticator", "code": phone.code()}).status_code == 302
    changed = FIRST | {"password1": "another long sentence", "password2": "another long sentence"}
    client.post(address, changed)  # the first page, still open in another tab
    client.post(address, {"step": "codes", "kept": "on"})
    assert client.post(address, {"step": "codes", "kept": "on"}).status_code == 404
    assert Person.objects.get().check_password(PASSWORD)
    assert Authenticator.objects.count() == 1


def test_one_may_begin_again(client: Client, delta: Organisation) -> None:
    address = link(delta, email="")
    client.post(address, FIRST | {"email": "typo@delta.example"})
    assert "Begin again" in said(client.get(address))
    client.post(address, {"step": "authenticator", "restart": "yes"})
    go_through(client, address, email="right@delta.example", **FORM)
    assert Person.objects.get().email == "right@delta.example"


def test_no_step_can_be_left_out(client: Client, delta: Organisation) -> None:
    address = link(delta)
    client.post(address, {"step": "codes", "kept": "on"})
    client.post(address, FIRST)
    client.post(address, {"step": "codes", "kept": "on"})
    phone = Phone.scanned(client.get(address).content.decode())
    wrong = client.post(address, {"step": "authenticator", "code": "000000"})
    assert "This code does not fit" in said(wrong)
    client.post(address, {"step": "authenticator", "code": phone.code()})
    assert "This field is required." in said(client.post(address, {"step": "codes"}))
    assert not Person.objects.exists()


def test_it_keeps_no_secret_in_clear_while_it_is_set_up(client: Client, delta: Organisation) -> None:
    address = link(delta)
    client.post(address, FIRST)
    page = client.get(address).content.decode()
    phone = Phone.scanned(page)
    client.post(address, {"step": "authenticator", "code": phone.code()})
    codes = CODE.findall(client.get(address).content.decode())
    held = str([session.get_decoded() for session in Session.objects.all()])
    for secret in (PASSWORD, phone.key.hex(), str(SECRET.findall(page)[0]).replace(" ", ""), codes[0]):
        assert secret not in held


def test_it_is_not_used_up_by_being_looked_at(client: Client, delta: Organisation) -> None:
    address = link(delta)
    for _ in range(3):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200
    assert go_through(client, address, **FORM)[2].status_code == 302


def test_a_dead_link_says_why_to_who_has_it(client: Client, delta: Organisation) -> None:
    used, expired = link(delta), link(delta, email="late@delta.example", valid_for=timedelta(seconds=-1))
    go_through(client, used, **FORM)
    answers = [Client().get(address) for address in (used, expired)]
    assert {answer.status_code for answer in answers} == {404}
    assert "It was used on" in said(answers[0])
    assert "It ran out on" in said(answers[1])
    assert not Person.objects.filter(email="late@delta.example").exists()


def test_it_gives_every_other_dead_link_the_same_answer(delta: Organisation) -> None:
    _, machines = invite_organisation(kind="member", name="Cobalt", country="NL", now=timezone.now())
    closed = organisation("Ceres", "partner")
    of_suspended = link(closed, email="x@ceres.example")
    suspend_organisation(organisation=closed)
    unknown = [f"/invitation/{machines}/", "/invitation/AAAA-BBBB-CCCC/", "/invitation/x/", "/invitation/%00/"]
    answers = [Client().get(address) for address in (of_suspended, *unknown)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({said(answer) for answer in answers}) == 1
    assert "This link does not work" in said(answers[0])


def test_it_keeps_dead_links_dead_for_posts(client: Client, delta: Organisation) -> None:
    expired = link(delta, valid_for=timedelta(seconds=-1))
    assert client.post(expired, FIRST).status_code == 404
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("short", "short", "at least 12 characters"),
        ("password1234", "password1234", "too common"),
        (PASSWORD, PASSWORD + "x", "The two passwords differ."),
        ("", "", "This field is required."),
        ("x" * 2000, "x" * 2000, "at most 1024 characters"),
    ],
)
def test_it_refuses_a_bad_password_and_leaves_the_link_good(
    client: Client, delta: Organisation, first: str, second: str, words: str
) -> None:
    address = link(delta)
    answer = client.post(address, FIRST | {"password1": first, "password2": second})
    assert words in said(answer)
    assert not Person.objects.exists()
    assert go_through(client, address, **FORM)[2].status_code == 302


def test_it_asks_for_the_address_only_when_the_invitation_names_none(client: Client, delta: Organisation) -> None:
    assert 'name="email"' not in client.get(link(delta)).content.decode()
    address = link(delta, email="")
    assert 'name="email"' in client.get(address).content.decode()
    assert "This field is required." in said(client.post(address, FIRST))
    go_through(client, address, email="Chosen@Delta.example", **FORM)
    assert Person.objects.get().email == "chosen@delta.example"


def test_it_does_not_let_the_invited_take_another_address_or_role(client: Client, delta: Organisation) -> None:
    go_through(client, link(delta), email="operator@hub.example", role="operator", organisation="", **FORM)
    made = Person.objects.get()
    assert (made.email, made.role, made.organisation) == ("adviser@delta.example", "observer", delta)


def test_it_refuses_an_address_that_has_an_account(client: Client, delta: Organisation) -> None:
    there, address = person("observer", delta), link(delta, email="observer@delta.example")
    assert there.email == "observer@delta.example"
    assert go_through(client, address, **FORM)[2].status_code == 302
    assert "cannot be used for this account" in said(client.get(address))
    assert Person.objects.get().check_password(PASSWORD) is False
    assert client.get("/admin/statistics/").status_code == 302


def test_script_in_a_name_stays_text(client: Client, delta: Organisation) -> None:
    script = "<script>alert(1)</script>"
    go_through(client, link(delta), **FORM | {"name": script})
    assert Person.objects.get().name == script
    assert script not in client.get("/admin/account/").content.decode()
    assert script in said(client.get("/admin/account/"))


def test_it_is_not_cached_and_not_passed_on_as_a_referrer(client: Client, delta: Organisation) -> None:
    answer = client.get(link(delta))
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"


def test_it_refuses_a_forged_form(delta: Organisation) -> None:
    assert Client(enforce_csrf_checks=True).post(link(delta), FIRST).status_code == 403
    assert not Person.objects.exists()
