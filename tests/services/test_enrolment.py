"""An invitation code turns into a key once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hashshare.models import Invitation, Organisation, OrganisationKey, Publisher
from hashshare.services.invitations import enrol, invite_key, invite_organisation
from hashshare.services.organisations import suspend_organisation
from hashshare.wire import errors, keys
from tests.builders import member, now, party

pytestmark = pytest.mark.django_db


def public() -> bytes:
    return keys.public_bytes(keys.generate())


def invited(**changes: Any) -> tuple[Invitation, str]:
    options: dict[str, Any] = {"kind": "hotline", "name": "Aurora", "country": "nl", "domains": ["aurora.example"]}
    return invite_organisation(now=now(), **(options | changes))


def test_it_enrols_an_organisation() -> None:
    _, code = invited()
    raw = public()
    made = enrol(code=code, public_key=raw, key_name="laptop", now=now())
    assert made.created
    assert (made.organisation.slug, made.organisation.state, made.organisation.country) == ("aurora", "active", "NL")
    assert made.key.fingerprint == keys.fingerprint(raw)
    assert Publisher.objects.get().domain == "aurora.example"


def test_it_answers_the_same_code_and_key_again() -> None:
    _, code = invited()
    raw = public()
    first = enrol(code=code, public_key=raw, key_name="", now=now())
    again = enrol(code=code.lower().replace("-", " "), public_key=raw, key_name="", now=now())
    assert (again.created, again.key) == (False, first.key)
    assert OrganisationKey.objects.count() == 1


def test_it_rejects_a_used_code_with_another_key() -> None:
    _, code = invited()
    enrol(code=code, public_key=public(), key_name="", now=now())
    with pytest.raises(errors.InvitationInvalid):
        enrol(code=code, public_key=public(), key_name="", now=now())


def test_it_rejects_an_unknown_code() -> None:
    with pytest.raises(errors.InvitationInvalid):
        enrol(code="AAAA-BBBB-CCCC", public_key=public(), key_name="", now=now())


def test_it_rejects_a_code_that_is_out_of_date() -> None:
    _, code = invited(valid_for=timedelta(days=1))
    with pytest.raises(errors.InvitationInvalid):
        enrol(code=code, public_key=public(), key_name="", now=now() + timedelta(days=1, seconds=1))


def test_it_rejects_a_suspended_organisation() -> None:
    cobalt = member()
    suspend_organisation(organisation=cobalt.organisation)
    _, code = invite_key(organisation=cobalt.organisation, now=now())
    with pytest.raises(errors.InvitationInvalid):
        enrol(code=code, public_key=public(), key_name="", now=now())


def test_it_rejects_a_key_that_another_organisation_has() -> None:
    cobalt = member()
    _, code = invited()
    with pytest.raises(errors.Conflict):
        enrol(code=code, public_key=keys.public_bytes(cobalt.key), key_name="", now=now())


def test_it_keeps_no_code_in_the_database() -> None:
    invitation, code = invited()
    values = " ".join(str(value) for value in Invitation.objects.filter(pk=invitation.pk).values_list().get())
    assert code not in values
    assert code.replace("-", "") not in values


@pytest.mark.parametrize("domain", ["Aurora.example", "aurora", "aurora.example/x", "-a.example", "a..b", "a" * 260])
def test_it_rejects_what_is_not_a_domain(domain: str) -> None:
    with pytest.raises(errors.UsageError):
        invited(domains=[domain])
    assert not Organisation.objects.exists()


def test_it_rejects_a_domain_that_is_taken() -> None:
    invited()
    with pytest.raises(errors.Conflict):
        invited(name="Borealis")


def test_it_rejects_a_publisher_that_is_no_hotline() -> None:
    with pytest.raises(errors.UsageError):
        party("member", "Cobalt", domains=["cobalt.example"])


@pytest.mark.parametrize("country", ["NLD", "", "1X", "\u00c5X"])
def test_it_rejects_what_is_not_a_country(country: str) -> None:
    with pytest.raises(errors.UsageError):
        invited(country=country)
