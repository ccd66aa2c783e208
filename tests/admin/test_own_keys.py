"""An engineer keeps the organisation's own keys in the browser; nobody else does, and never those of others."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.models import AccessKey, Invitation, OrganisationKey, Person
from hashshare.services.authentication import caller_by_access_key
from hashshare.services.invitations import enrol
from hashshare.services.people import someone_leaves
from hashshare.wire import keys
from hashshare.wire.errors import InvitationInvalid, NotAuthenticated
from tests.admin.addresses import deed, page, table_deed
from tests.admin.cast import browser, person
from tests.admin.desk_cast import Desk, desk_of_cobalt

pytestmark = pytest.mark.django_db
INVITE, MAKE = table_deed(OrganisationKey, "invite-machine"), table_deed(AccessKey, "make")


@pytest.fixture
def desk(db: None) -> Desk:
    return desk_of_cobalt()


def token(client: Client, address: str) -> str:
    """Of the form as it was opened."""
    found = re.search(r'name="form" value="([^"]+)"', client.get(address).content.decode())
    assert found is not None
    return found[1]


def shown(answer: object) -> str:
    text = answer.content.decode()  # type: ignore[attr-defined]
    found = re.search(r"<code>(.+?)</code>", text)
    assert found is not None, text
    return html.unescape(found[1])


def key_of(desk: Desk) -> OrganisationKey:
    return OrganisationKey.objects.get(organisation=desk.cobalt.organisation)


def test_an_engineer_invites_a_machine_whose_key_is_in_their_name(desk: Desk) -> None:
    command = shown(desk.client.post(INVITE, {"name": "sync-02", "form": token(desk.client, INVITE)}))
    hub, code = re.fullmatch(r"hashshare enroll (\S+) (\S+)", command).groups()  # type: ignore[union-attr]
    assert hub.startswith("http://")
    made = enrol(code=code, public_key=keys.public_bytes(keys.generate()), key_name="x", now=timezone.now())
    assert (made.organisation, made.key.name, made.key.holder) == (desk.cobalt.organisation, "sync-02", desk.engineer)


def test_a_double_click_makes_one_code_and_shows_it_again(desk: Desk) -> None:
    data = {"name": "sync-02", "form": token(desk.client, INVITE)}
    assert shown(desk.client.post(INVITE, data)) == shown(desk.client.post(INVITE, data))
    assert Invitation.objects.filter(key_name="sync-02").count() == 1
    assert shown(desk.client.post(INVITE, data | {"form": token(desk.client, INVITE)}))
    assert Invitation.objects.filter(key_name="sync-02").count() == 2


def test_a_double_click_makes_one_access_key_and_shows_it_again(desk: Desk) -> None:
    data = {"name": "curl", "days": "30", "form": token(desk.client, MAKE)}
    first, again = (shown(desk.client.post(MAKE, data)) for _ in range(2))
    assert first == again
    row = AccessKey.objects.get()
    assert (row.organisation, row.made_by) == (desk.cobalt.organisation, desk.engineer)
    assert caller_by_access_key(text=first, now=timezone.now()).organisation == desk.cobalt.organisation
    assert first not in desk.client.get(page(row)).content.decode()


def test_a_form_that_somebody_kept_shows_nothing_later(desk: Desk) -> None:
    """Else whoever finds the page in a browser's memory has the secret."""
    data = {"name": "curl", "days": "30", "form": token(desk.client, MAKE)}
    secret = shown(desk.client.post(MAKE, data))
    AccessKey.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    answer = desk.client.post(MAKE, data).content.decode()
    assert "This form was sent before." in answer
    assert secret not in answer
    assert AccessKey.objects.count() == 1


def test_the_same_token_in_another_persons_form_gives_another_secret(desk: Desk) -> None:
    other = Person.objects.create(email="b@cobalt.example", role="engineer", organisation=desk.cobalt.organisation)
    data = {"name": "curl", "days": "30", "form": token(desk.client, MAKE)}
    assert shown(desk.client.post(MAKE, data)) != shown(browser(other).post(MAKE, data))


@pytest.mark.parametrize("days", ["0", "367", "many", ""])
def test_an_access_key_lasts_a_year_at_most(desk: Desk, days: str) -> None:
    answer = desk.client.post(MAKE, {"name": "curl", "days": days, "form": token(desk.client, MAKE)})
    assert "Not done yet" in answer.content.decode()
    assert not AccessKey.objects.exists()


def test_an_engineer_revokes_an_access_key(desk: Desk) -> None:
    shown(desk.client.post(MAKE, {"name": "curl", "days": "30", "form": token(desk.client, MAKE)}))
    row = AccessKey.objects.get()
    desk.client.post(deed(row, "revoke"), {"reason": "not used any more"})
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_an_engineer_revokes_a_key_and_the_last_one_only_when_that_is_meant(desk: Desk) -> None:
    key = key_of(desk)
    answer = desk.client.post(deed(key, "end"), {"reason": "host gone"})
    assert "It is the last key with which your organisation can reach the hub." in answer.content.decode()
    assert key_of(desk).revoked_at is None
    desk.client.post(deed(key, "end"), {"reason": "host stolen", "last": "on"})
    assert key_of(desk).revoked_at is not None
    again = desk.client.post(deed(key, "end"), {"reason": "again", "last": "on"}, follow=True)
    assert "does not apply any more" in again.content.decode()


def test_what_an_engineer_made_ends_when_they_leave(desk: Desk) -> None:
    command = shown(desk.client.post(INVITE, {"name": "sync-02", "form": token(desk.client, INVITE)}))
    secret = shown(desk.client.post(MAKE, {"name": "curl", "days": "30", "form": token(desk.client, MAKE)}))
    someone_leaves(person=desk.engineer, by="test", now=timezone.now())
    with pytest.raises(NotAuthenticated):
        caller_by_access_key(text=secret, now=timezone.now())
    with pytest.raises(InvitationInvalid):
        enrol(code=command.split()[-1], public_key=keys.public_bytes(keys.generate()), key_name="", now=timezone.now())


def test_others_neither_make_nor_end_keys(desk: Desk) -> None:
    key, data = key_of(desk), {"name": "x", "days": "9", "form": "x" * 43, "reason": "r", "last": "on"}
    aurora = desk.images.publisher.party.organisation
    strangers = {
        person("engineer", desk.granite.organisation): {302, 404},  # as for a row that never was
        person("engineer", aurora): {302, 404},
        desk.analyst: {403},
        person("observer", aurora): {302},  # no role of a hotline, so it opens nothing
    }
    for who, refused in strangers.items():
        for slug in ("end", "end-stolen", "revoke", "revoke-stolen"):
            assert browser(who).post(deed(key, slug), data).status_code in refused | {404}, (who, slug)
    for who in (desk.analyst, person("operator")):
        for address in (INVITE, MAKE):
            assert browser(who).post(address, data).status_code == 403, (who, address)
    key.refresh_from_db()
    assert key.revoked_at is None
    assert not AccessKey.objects.exists()
    assert not Invitation.objects.filter(key_name="x").exists()


def test_engineers_are_offered_their_deeds_and_operators_theirs(desk: Desk) -> None:
    key = key_of(desk)
    assert 'class="button danger">Revoke<' in desk.client.get(deed(key, "end")).content.decode()
    own, operators = desk.client.get(page(key)).content.decode(), browser(person("operator")).get(page(key))
    assert deed(key, "end") in own
    assert deed(key, "revoke") not in own
    assert deed(key, "revoke") in operators.content.decode()
    assert deed(key, "end") not in operators.content.decode()
    assert deed(key, "end") not in browser(desk.analyst).get(page(key)).content.decode()
