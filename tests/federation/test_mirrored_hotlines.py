"""A hotline that is known here because its lists are copied from another hub: it is at home there, with its people."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from hashshare.models import Invitation, Organisation
from hashshare.services.invitations import enrol, invite_key, invite_person
from hashshare.services.organisations import reinstate_organisation, suspend_organisation
from hashshare.wire import errors, keys
from tests.admin.addresses import deed, page, table_deed
from tests.admin.cast import browser, person
from tests.admin.doors import said
from tests.builders import now
from tests.federation.builders import mirrored_hotline, north

pytestmark = pytest.mark.django_db


@pytest.fixture
def corona() -> Organisation:
    return mirrored_hotline(north())


def test_it_invites_no_people_of_it(corona: Organisation) -> None:
    with pytest.raises(errors.Conflict, match="its people are there"):
        invite_person(role="analyst", organisation=corona, email="ada@corona.example", now=now())

    assert not Invitation.objects.exists()


def test_it_is_as_any_other_once_it_has_a_key_here(corona: Organisation) -> None:
    _, code = invite_key(organisation=corona, now=now())
    enrol(code=code, public_key=keys.public_bytes(keys.generate()), key_name="", now=now())
    corona.refresh_from_db()

    invite_person(role="analyst", organisation=corona, email="ada@corona.example", now=now())

    assert corona.state == "active"


def test_it_is_mirrored_again_when_it_is_reinstated(corona: Organisation) -> None:
    suspend_organisation(organisation=corona)

    reinstate_organisation(organisation=corona)

    corona.refresh_from_db()
    assert corona.state == "mirrored"


def test_its_page_offers_what_makes_sense_for_it(corona: Organisation) -> None:
    client = browser(person("operator"))

    shown = client.get(page(corona))

    assert "mirrored" in said(shown)
    for slug in ("invite-person", "add-domain"):
        assert deed(corona, slug) not in shown.content.decode()


def test_no_hub_is_invited_with_a_code_in_place_of_being_compared() -> None:
    with pytest.raises(CommandError):
        call_command("invite", kind="hub", name="West", country="IE")
    client = browser(person("operator"))
    answer = client.post(table_deed(Organisation, "invite"), {"kind": "hub", "name": "West", "country": "IE"})

    assert "hub is not one of the available choices" in said(answer)
    assert not Organisation.objects.filter(kind="hub").exists()
