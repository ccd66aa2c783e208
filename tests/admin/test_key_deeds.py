"""Operators and machine keys: who answers for one, what it introduced, what is left when it is revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from hashshare.models import AccessKey, Invitation, Organisation, OrganisationKey
from hashshare.selectors.callers import Caller
from hashshare.services.introductions import invite_machine
from hashshare.services.invitations import enrol
from hashshare.services.keys import add_key
from hashshare.wire import keys
from hashshare.wire.errors import InvitationInvalid
from tests.admin.addresses import deed, page
from tests.admin.cast import browser, person
from tests.admin.conftest import Hub

pytestmark = pytest.mark.django_db


def key_of(hub: Hub) -> OrganisationKey:
    found = hub.aurora.of[OrganisationKey]
    assert isinstance(found, OrganisationKey)
    return found


def further(key: OrganisationKey, name: str, **about: object) -> OrganisationKey:
    raw = keys.public_bytes(keys.generate())
    return add_key(organisation=key.organisation, public_key=raw, name=name, now=timezone.now(), **about)  # type: ignore[arg-type]


def test_a_code_for_a_machine_names_who_answers_for_its_key(hub: Hub) -> None:
    organisation = key_of(hub).organisation
    ana = person("engineer", organisation)
    client = browser(hub.operator)
    client.post(deed(organisation, "invite-key"), {"name": "sync-02", "holder": ana.email})
    invitation = Invitation.objects.get(organisation=organisation, key_name="sync-02")
    assert (invitation.holder, invitation.made_with) == (ana, None)


def test_a_person_of_another_organisation_answers_for_no_key_here(hub: Hub) -> None:
    organisation = key_of(hub).organisation
    other = Organisation.objects.create(slug="other", name="Other", kind="member", country="NL")
    stranger = person("engineer", other)
    answer = browser(hub.operator).post(
        deed(organisation, "invite-key"), {"name": "sync-02", "holder": stranger.email}, follow=True
    )
    assert "has no such person here" in answer.content.decode()
    assert not Invitation.objects.filter(key_name="sync-02").exists()


def test_revoking_the_last_key_says_so_and_what_it_had_introduced(hub: Hub) -> None:
    key, client = key_of(hub), browser(hub.operator)
    assert "needs a new invitation" in client.get(deed(key, "revoke")).content.decode()
    further(key, "planted", introduced_by=key)
    said = client.get(deed(key, "revoke")).content.decode()
    assert "goes on with 1 other" in said
    assert "had introduced planted" in said


def test_a_stolen_key_goes_with_all_that_it_brought(hub: Hub) -> None:
    key, client, now = key_of(hub), browser(hub.operator), timezone.now()
    planted = further(key, "planted", introduced_by=key)
    second = further(key, "second", introduced_by=planted)
    clean = further(key, "clean")
    made = AccessKey.objects.create(
        organisation=key.organisation, name="curl", prefix="abcd1234", secret_hash="0" * 64, made_with=second,
        expires_at=now + timedelta(days=300),
    )  # fmt: skip
    thief = Caller(key.organisation, "signature", planted.fingerprint)
    _, code = invite_machine(caller=thief, name="b", holder="", now=now)
    client.post(deed(key, "revoke-stolen"), {"reason": "the laptop was stolen"})
    gone = OrganisationKey.objects.filter(pk__in=[key.pk, planted.pk, second.pk])
    assert all(row.revoked_at is not None for row in gone)
    made.refresh_from_db()
    clean.refresh_from_db()
    assert (made.revoked_at is not None, clean.revoked_at) == (True, None)
    with pytest.raises(InvitationInvalid):
        enrol(code=code, public_key=keys.public_bytes(keys.generate()), key_name="", now=timezone.now())


@pytest.mark.parametrize(("kept", "ended"), [({}, True), ({"keep_access_keys": "on"}, False)])
def test_access_keys_go_with_the_key_that_made_them_unless_they_are_kept(
    hub: Hub, kept: dict[str, str], ended: bool
) -> None:
    key, client = key_of(hub), browser(hub.operator)
    made = AccessKey.objects.create(
        organisation=key.organisation, name="curl", prefix="abcd1234", secret_hash="0" * 64, made_with=key,
        expires_at=timezone.now() + timedelta(days=300),
    )  # fmt: skip
    assert (
        "So is the access key curl (hsk_abcd1234), unless you keep" in client.get(deed(key, "revoke")).content.decode()
    )
    said = client.post(deed(key, "revoke"), {"reason": "the laptop is gone", **kept}, follow=True).content.decode()
    assert "curl (hsk_abcd1234)" in said
    made.refresh_from_db()
    assert (made.revoked_at is not None) is ended


@pytest.mark.parametrize(
    ("window", "word"),
    [
        ({"not_before": timedelta(days=1)}, "waiting"),
        ({"not_after": timedelta(days=1)}, "active"),
        ({"not_after": -timedelta(days=1)}, "expired"),
    ],
)
def test_it_shows_where_a_key_is_in_its_window(hub: Hub, window: dict[str, timedelta], word: str) -> None:
    row = further(key_of(hub), "b", **{name: timezone.now() + span for name, span in window.items()})
    assert f">{word}<" in browser(hub.operator).get(page(row)).content.decode()
