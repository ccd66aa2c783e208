"""People are invited with a one-time link and set their own password; operators come from the command line."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from hashshare.models import Invitation, Person
from hashshare.services.invitations import accept_person_invitation, enrol, invite_person, open_person_invitation
from hashshare.services.people import Chosen, create_person, deactivate_person
from hashshare.services.second_factors import new_key
from hashshare.wire import errors
from tests.builders import member, now, partner

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


def accepted(code: str, **changes: Any) -> Person:
    at = changes.pop("now", now())
    chosen: dict[str, Any] = {
        "email": "Ada@Delta.example",
        "name": "Ada",
        "password_hash": make_password(PASSWORD),
        "key": new_key(),
        "step": 1,
        "codes": ("AAAA-BBBB-CCCC",),
    }
    return accept_person_invitation(code=code, chosen=Chosen(**(chosen | changes)), now=at)


def test_it_makes_the_account_that_was_promised() -> None:
    delta = partner()
    _, code = invite_person(role="observer", organisation=delta.organisation, now=now())
    assert open_person_invitation(code=code, now=now()).role == "observer"
    person = accepted(code)
    assert (person.email, person.role, person.organisation) == ("ada@delta.example", "observer", delta.organisation)
    assert person.check_password(PASSWORD)
    assert not person.is_operator and not person.has_perm("hashshare.view_person")


def test_it_accepts_a_link_once() -> None:
    _, code = invite_person(role="observer", organisation=partner().organisation, now=now())
    accepted(code)
    for again in (lambda: accepted(code), lambda: open_person_invitation(code=code, now=now())):
        with pytest.raises(errors.InvitationInvalid):
            again()


def test_it_rejects_a_link_that_is_out_of_date() -> None:
    _, code = invite_person(role="observer", organisation=partner().organisation, now=now())
    with pytest.raises(errors.InvitationInvalid):
        accepted(code, now=now() + timedelta(days=15))


def test_it_prefers_the_address_of_the_invitation() -> None:
    _, code = invite_person(role="operator", email="op@north.example", now=now())
    assert accepted(code).email == "op@north.example"


@pytest.mark.parametrize("changes", [{"password_hash": ""}, {"key": b""}, {"codes": ()}, {"email": "no address"}])
def test_it_leaves_the_link_good_after_a_mistake(changes: dict[str, Any]) -> None:
    _, code = invite_person(role="observer", organisation=partner().organisation, now=now())
    with pytest.raises(errors.UsageError):
        accepted(code, **changes)
    accepted(code)


def test_it_rejects_an_address_that_is_taken() -> None:
    create_person(email="ada@delta.example", role="operator", password=PASSWORD)
    _, code = invite_person(role="observer", organisation=partner().organisation, now=now())
    with pytest.raises(errors.UsageError):
        accepted(code)


def test_it_rejects_an_operator_of_an_organisation_and_anyone_else_of_none() -> None:
    with pytest.raises(errors.UsageError):
        invite_person(role="operator", organisation=member().organisation, now=now())
    with pytest.raises(errors.UsageError):
        invite_person(role="analyst", now=now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(email="x@y.example", role="analyst")


def test_it_does_not_confuse_the_two_kinds_of_invitation() -> None:
    _, code = invite_person(role="observer", organisation=partner().organisation, now=now())
    with pytest.raises(errors.InvitationInvalid):
        enrol(code=code, public_key=b"\x01" * 32, key_name="", now=now())


def test_it_closes_an_account() -> None:
    person = create_person(email="op@north.example", role="operator", password=PASSWORD)
    assert person.is_superuser
    deactivate_person(person=person)
    assert (person.is_staff, person.check_password(PASSWORD)) == (False, False)
    assert not person.has_perm("hashshare.view_job")


def test_it_invites_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", kind="hotline", name="Aurora", country="NL", domain=["aurora.example"])
    shown = capsys.readouterr()
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}\n", shown.out)
    assert "hashshare enroll" in shown.err
    with pytest.raises(CommandError, match="already an organisation"):
        call_command("invite", kind="hotline", name="Aurora", country="NL")


def test_it_prints_a_link_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    delta = partner()
    call_command("invite_person", organisation=delta.organisation.slug, role="observer")
    link = capsys.readouterr().out.strip()
    code = link.rstrip("/").rsplit("/", 1)[1]
    assert link.startswith("http://127.0.0.1:8000/invitation/")
    assert accepted(code).organisation == delta.organisation
    with pytest.raises(CommandError, match="no organisation"):
        call_command("invite_person", organisation="nobody", role="observer")


def test_it_creates_an_operator_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HASHSHARE_OPERATOR_PASSWORD", PASSWORD)
    call_command("createoperator", email="op@north.example")
    assert Person.objects.get().is_operator
    assert PASSWORD not in capsys.readouterr().out
    monkeypatch.setenv("HASHSHARE_OPERATOR_PASSWORD", "short")
    with pytest.raises(CommandError):
        call_command("createoperator", email="op2@north.example")
    assert not Invitation.objects.exists()
