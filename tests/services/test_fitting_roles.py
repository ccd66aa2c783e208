"""A person's role fits the kind of organisation: the statistics, an observer's, are for partners alone."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password
from django.core.management import CommandError, call_command

from hashshare.models import Invitation, Person
from hashshare.services.invitations import accept_person_invitation, invite_person
from hashshare.services.organisations import create_organisation
from hashshare.services.people import Chosen, change_role, create_person
from hashshare.services.second_factors import new_key
from hashshare.wire import errors
from tests.builders import now

pytestmark = pytest.mark.django_db

FITTING = {
    "hotline": {"analyst", "engineer"},
    "member": {"analyst", "engineer"},
    "partner": {"observer"},
    "hub": {"engineer"},
}
ROLES = ("analyst", "engineer", "observer")


@pytest.mark.parametrize("kind", FITTING)
@pytest.mark.parametrize("role", ROLES)
def test_it_invites_and_moves_people_only_to_what_fits(kind: str, role: str) -> None:
    theirs = create_organisation(kind=kind, name="Theirs", country="NL")
    first = min(FITTING[kind])
    person = create_person(email="ada@theirs.example", role=first, organisation=theirs, password="a long sentence")
    if role in FITTING[kind]:
        invite_person(role=role, organisation=theirs, now=now())
        change_role(person=person, role=role, now=now())
        assert Person.objects.get().role == role
        return
    named = f"Theirs is a {kind}: its people are {' or '.join(sorted(FITTING[kind]))}, not {role}."
    with pytest.raises(errors.UsageError, match=named):
        invite_person(role=role, organisation=theirs, now=now())
    with pytest.raises(errors.UsageError, match=named):
        change_role(person=person, role=role, now=now())
    assert (Person.objects.get().role, Invitation.objects.count()) == (first, 0)


def test_the_command_says_which_roles_fit() -> None:
    create_organisation(kind="member", name="Cobalt", country="NL")
    with pytest.raises(CommandError, match="Choose analyst or engineer"):
        call_command("invite_person", organisation="cobalt", role="observer")


def test_a_link_from_before_roles_were_matched_makes_no_account() -> None:
    cobalt = create_organisation(kind="member", name="Cobalt", country="NL")
    _, code = invite_person(role="engineer", organisation=cobalt, now=now())
    Invitation.objects.update(role="observer")
    password = make_password("a long sentence")
    chosen = Chosen(email="ada@cobalt.example", password_hash=password, key=new_key(), step=1, codes=("AAAA",))
    with pytest.raises(errors.UsageError, match="not observer"):
        accept_person_invitation(code=code, chosen=chosen, now=now())
    assert not Person.objects.exists()
