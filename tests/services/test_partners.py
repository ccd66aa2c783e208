"""A government partner needs no machine: it is in force, and counted, once the first of its people is in."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command

from hashshare.models import Invitation, Organisation
from hashshare.selectors.statistics import newest_figures
from hashshare.services.invitations import accept_person_invitation, invite_person
from hashshare.services.organisations import create_organisation, reinstate_organisation, suspend_organisation
from hashshare.services.people import Chosen, create_person
from hashshare.services.second_factors import new_key
from hashshare.services.statistics.daily import roll_up_recent
from tests.builders import now

pytestmark = pytest.mark.django_db


def come_in(code: str, email: str) -> None:
    password = make_password("correct horse battery staple")
    chosen = Chosen(email=email, name="Ada", password_hash=password, key=new_key(), step=1, codes=("AAAA-BBBB-CCCC",))
    accept_person_invitation(code=code, chosen=chosen, now=now())


def governments() -> int:
    roll_up_recent(now=now())
    return newest_figures().get("partners", 0)


def test_it_counts_once_its_first_person_is_in(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", kind="partner", name="Ministry of the Interior", country="NL")
    assert capsys.readouterr().out == "ministry-of-the-interior\n"
    call_command("invite_person", organisation="ministry-of-the-interior", role="observer")
    link = capsys.readouterr().out.strip()
    assert (Organisation.objects.get().state, governments()) == ("invited", 0)
    come_in(link.rstrip("/").rsplit("/", 1)[1], "ada@ministry.example")
    assert (Organisation.objects.get().state, governments()) == ("active", 1)


def test_inviting_one_names_its_people_and_no_machine(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", kind="partner", name="Delta", country="SE")
    said = capsys.readouterr().err
    assert "needs no machine" in said and "invite-person --organisation delta --role observer" in said
    assert "enroll" not in said
    assert not Invitation.objects.exists()
    with pytest.raises(CommandError, match="already an organisation"):
        call_command("invite", kind="partner", name="Delta", country="SE")
    with pytest.raises(CommandError, match="Only a hotline publishes"):
        call_command("invite", kind="partner", name="Ceres", country="SE", domain=["ceres.example"])


def test_others_still_need_a_machine() -> None:
    cobalt = create_organisation(kind="member", name="Cobalt", country="NL")
    _, code = invite_person(role="engineer", organisation=cobalt, now=now())
    come_in(code, "ed@cobalt.example")
    cobalt.refresh_from_db()
    assert cobalt.state == "invited"


@pytest.mark.parametrize(("people", "state"), [(True, "active"), (False, "invited")])
def test_reinstated_it_is_in_force_if_it_has_people(people: bool, state: str) -> None:
    delta = create_organisation(kind="partner", name="Delta", country="SE")
    if people:
        create_person(email="ada@delta.example", role="observer", organisation=delta, password="a long sentence")
    suspend_organisation(organisation=delta)
    reinstate_organisation(organisation=delta)
    delta.refresh_from_db()
    assert delta.state == state


def test_partners_from_before_are_taken_along() -> None:
    """Those with people; not one that nobody came from, one that is suspended, or a member."""
    made = {
        name: create_organisation(kind=kind, name=name, country="SE")
        for name, kind in (("Delta", "partner"), ("Echo", "partner"), ("Foxtrot", "partner"), ("Cobalt", "member"))
    }
    for name, role in (("Delta", "observer"), ("Foxtrot", "observer"), ("Cobalt", "engineer")):
        create_person(email=f"ada@{name}.example", role=role, organisation=made[name], password="a long sentence")
    suspend_organisation(organisation=made["Foxtrot"])
    import_module("hashshare.migrations.0016_partners_in_force").admit_partners(apps, None)
    found = dict(Organisation.objects.values_list("name", "state"))
    assert found == {"Delta": "active", "Echo": "invited", "Foxtrot": "suspended", "Cobalt": "invited"}
