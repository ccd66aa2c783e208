"""People of an organisation see its rows and nobody else's, by whatever page they try."""

from __future__ import annotations

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from hashshare.models import (
    AccessKey,
    Acknowledgement,
    Beginning,
    Commit,
    Commitment,
    Deed,
    Delivery,
    HashList,
    HostedKey,
    Job,
    Log,
    Metadata,
    Organisation,
    OrganisationKey,
    Person,
    Publisher,
    Release,
    Reminder,
    StoredObject,
    Subscription,
)
from hashshare.services.deeds import note_deed
from hashshare.services.invitations import invite_person
from hashshare.services.sealing import seal_logs
from tests.admin.addresses import changelist, page
from tests.admin.cast import browser
from tests.admin.conftest import Hub

OF_THE_HOTLINE = (
    *(Organisation, OrganisationKey, Publisher, Beginning, HashList, HostedKey, Job, Commit, Release, Metadata),
    *(StoredObject, Log),
)
OF_THE_MEMBER = (AccessKey, Person, Commitment)
OF_BOTH = (Subscription, Delivery, Acknowledgement, Reminder)


def sees(client: Client, row: Model) -> bool:
    """By the list and by the row's own page, which must agree."""
    listed = f"/{row.pk}/change/" in client.get(changelist(type(row))).content.decode()
    assert (client.get(page(row)).status_code == 200) == listed, row
    return listed


def test_it_shows_a_hotlines_analyst_the_hotlines_rows(hub: Hub) -> None:
    client = browser(hub.analyst)
    for model in (*OF_THE_HOTLINE, *OF_BOTH):
        assert sees(client, hub.aurora.of[model]), model


def test_it_shows_a_members_engineer_the_members_rows(hub: Hub) -> None:
    client = browser(hub.engineer)
    for model in (*OF_THE_MEMBER, *OF_BOTH):
        assert sees(client, hub.aurora.of[model]), model


@pytest.mark.parametrize("role", ["analyst", "engineer"])
def test_it_hides_what_belongs_to_others(hub: Hub, role: str) -> None:
    client = browser(hub.person(role))
    for model in (*OF_THE_HOTLINE, *OF_THE_MEMBER, *OF_BOTH):
        foreign = hub.borealis.of[model]
        for query in ("", "?q=borealis", "?q=granite", f"?pk__exact={foreign.pk}", "?all="):
            text = client.get(changelist(model) + query, follow=True).content.decode()
            assert f"/{foreign.pk}/change/" not in text, (model, query)
            for name in ("Borealis", "Granite", "granite.example"):
                assert name not in text, (model, query, name)
        assert client.get(page(foreign)).status_code == 302, model  # to the overview, as for a row that never was
        assert client.post(page(foreign), {}).status_code in {302, 403}, model


def test_it_hides_a_hotlines_rows_from_its_subscriber(hub: Hub) -> None:
    client = browser(hub.engineer)
    for model in OF_THE_HOTLINE:
        assert not sees(client, hub.aurora.of[model]), model


def test_it_hides_a_subscribers_keys_and_people_from_the_hotline(hub: Hub) -> None:
    client = browser(hub.analyst)
    for model in OF_THE_MEMBER:
        assert not sees(client, hub.aurora.of[model]), model


def test_it_answers_a_foreign_row_like_one_that_never_was(hub: Hub) -> None:
    client, foreign = browser(hub.engineer), hub.borealis.of[Delivery]
    there = client.get(page(foreign), follow=True)
    address = page(foreign).replace(f"/{foreign.pk}/", "/987654321/")
    never = client.get(address, follow=True)
    assert there.redirect_chain == never.redirect_chain
    plain = never.content.decode().replace("987654321", str(foreign.pk))
    assert _messages(there.content.decode()) == _messages(plain)


def test_it_keeps_operators_reasons_from_the_organisation_they_are_about(hub: Hub) -> None:
    cobalt = hub.aurora.member
    assert "court order 17" in browser(hub.operator).get(page(cobalt, "history")).content.decode()
    client = browser(hub.engineer)
    assert client.get(page(cobalt)).status_code == 200
    assert "history" not in client.get(page(cobalt)).content.decode()
    assert client.get(page(cobalt, "history")).status_code == 403


def test_it_shows_people_of_an_organisation_what_their_own_people_did(hub: Hub) -> None:
    now = timezone.now()
    mine = note_deed(person=hub.engineer, what="Export", about="deliveries of the week", now=now)
    of_another = note_deed(person=hub.analyst, what="Withdraw", about="three entries", now=now)
    of_an_operator = hub.operators_own[Deed]
    client = browser(hub.engineer)
    assert sees(client, mine)
    assert not sees(client, of_another)
    assert not sees(client, of_an_operator)
    seal_logs(now=now)
    assert "sealed" in browser(hub.operator).get(page(of_another)).content.decode()
    Deed.objects.filter(pk=of_another.pk).update(about="four entries")
    assert "changed" in browser(hub.operator).get(page(of_another)).content.decode()


def test_it_refuses_to_search_by_columns_that_are_not_offered(hub: Hub) -> None:
    """Otherwise an address could guess a digest letter by letter."""
    client = browser(hub.engineer)
    for model, query in (
        (AccessKey, "secret_hash__startswith=0"),
        (Person, "password__startswith=md5"),
        (Delivery, "list__publisher__organisation__name=Aurora"),
    ):
        assert client.get(f"{changelist(model)}?{query}").status_code == 400
    assert client.get(changelist(AccessKey) + "?revoked_at__isempty=1").status_code == 200


def test_it_shows_no_secret_to_anybody(hub: Hub) -> None:
    client = browser(hub.operator)
    key, person = hub.aurora.of[AccessKey], hub.aurora.of[Person]
    assert isinstance(key, AccessKey)
    assert isinstance(person, Person)
    invitation, code = invite_person(role="observer", organisation=hub.delta, now=key.created_at)
    for row, secret in ((key, key.secret_hash), (person, person.password), (invitation, invitation.code_hash)):
        for address in (page(row), changelist(type(row))):
            text = client.get(address).content.decode()
            assert secret not in text
            assert code not in text


def _messages(text: str) -> str:
    return text[text.index('<ul class="messagelist">') : text.index("</ul>", text.index('<ul class="messagelist">'))]
