"""The pages *Other hubs* and *Requests from other hubs*: what hotlines see and decide, and nobody else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from federation.models import HubTerms, MemberRequest
from federation.services.onward import request_standing, terms_standing
from hashshare.models import Deed, Subscription
from tests import builders as b
from tests.admin.addresses import changelist, deed, page
from tests.admin.cast import browser, person
from tests.admin.doors import said
from tests.federation.builders import Hub, agreed, south

pytestmark = pytest.mark.django_db

PAGE = "/admin/other-hubs/"


@pytest.fixture
def images() -> b.Feed:
    policy = {"policy": "federation"}
    return b.feed(b.publisher(), redistribution=policy)


@pytest.fixture
def hub(images: b.Feed) -> Hub:
    made = south()
    agreed(made, "out")
    b.subscribed(b.Party(made.organisation, made.key), images)
    return made


@pytest.fixture
def asked(images: b.Feed, hub: Hub) -> MemberRequest:
    return MemberRequest.objects.create(
        hub=hub.organisation,
        list=images.row,
        origin=uuid.uuid4(),
        slug="cobalt",
        name="Cobalt",
        country="PT",
        kind="member",
        terms_digest=images.row.terms_digest,
        requested_at=b.now(),
    )


@pytest.fixture
def analyst(images: b.Feed) -> Client:
    return browser(person("analyst", images.publisher.party.organisation))


def a_decision(row: MemberRequest, **more: Any) -> dict[str, Any]:
    return {"reason": "As agreed.", "seen": request_standing(row)} | more


def test_an_analyst_grants_and_revokes_what_a_member_of_another_hub_asked_for(
    analyst: Client, asked: MemberRequest
) -> None:
    assert "Cobalt" in said(analyst.get(changelist(MemberRequest)))
    until = (b.now() + timedelta(days=30)).date().isoformat()
    done = analyst.post(deed(asked, "grant"), a_decision(asked, until=until), follow=True)
    assert "south.example learns it within a minute or two" in said(done)
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.number) == ("active", "As agreed.", 1)
    analyst.post(deed(asked, "revoke"), a_decision(asked))
    asked.refresh_from_db()
    assert asked.state == "revoked"
    assert [each.what for each in Deed.objects.order_by("pk")] == ["Grant", "Revoke"]


def test_a_form_that_is_out_of_date_changes_nothing(analyst: Client, asked: MemberRequest) -> None:
    old = a_decision(asked)
    until = (b.now() + timedelta(days=30)).date().isoformat()
    analyst.post(deed(asked, "grant"), a_decision(asked, until=until))
    told = analyst.post(deed(asked, "revoke"), old)
    assert "Decided meanwhile" in said(told)
    asked.refresh_from_db()
    assert asked.state == "active"


def test_a_choice_is_made_for_a_hub_and_put_on_record(analyst: Client, asked: MemberRequest, hub: Hub) -> None:
    shown = said(analyst.get(PAGE))
    assert "south.example" in shown
    assert "aurora.example/images" in shown
    row = Subscription.objects.get(organisation=hub.organisation)
    form = {"list": "aurora.example/images", "hub": "south.example", "seen": terms_standing(row)}
    done = analyst.post(PAGE, {**form, "members": "hub", "evidence": "counts"}, follow=True)
    assert "the hub, on its own" in said(done)
    terms = HubTerms.objects.get()
    assert (terms.members, terms.evidence) == ("hub", "counts")
    asked.refresh_from_db()
    assert asked.state == "left"
    assert Deed.objects.get().noted == "members: hub, evidence: counts"
    again = analyst.post(PAGE, {**form, "members": "each", "evidence": ""})
    assert "changed meanwhile" in said(again)
    assert HubTerms.objects.get().members == "hub"


def test_operators_see_all_and_may_choose_in_a_hotline_s_place(asked: MemberRequest, hub: Hub) -> None:
    client = browser(person("operator"))
    assert "you can make them in their place" in said(client.get(PAGE))
    assert "Cobalt" in said(client.get(page(asked)))
    row = Subscription.objects.get(organisation=hub.organisation)
    form = {"list": "aurora.example/images", "hub": "south.example", "seen": terms_standing(row), "members": "hub"}
    assert client.post(PAGE, form).status_code == 302
    assert HubTerms.objects.get().members == "hub"


def test_another_hotline_and_members_see_nothing_of_it(asked: MemberRequest, hub: Hub) -> None:
    row = Subscription.objects.get(organisation=hub.organisation)
    form = {"list": "aurora.example/images", "hub": "south.example", "seen": terms_standing(row), "members": "hub"}
    borealis = browser(person("analyst", b.publisher("Borealis", "borealis.example").party.organisation))
    assert "south.example" not in said(borealis.get(PAGE))
    assert borealis.post(PAGE, form).status_code == 403
    assert "Cobalt" not in said(borealis.get(changelist(MemberRequest)))
    assert borealis.post(deed(asked, "grant"), a_decision(asked, until="2999-01-01")).status_code in (302, 403, 404)
    for role, party in (("analyst", b.member("Ember")), ("observer", b.partner())):
        other = browser(person(role, party.organisation))
        assert other.get(PAGE).status_code == 403
        assert other.post(PAGE, form).status_code == 403
    asked.refresh_from_db()
    assert (asked.state, HubTerms.objects.exists()) == ("requested", False)


def test_an_engineer_of_the_hotline_sees_and_does_not_choose(images: b.Feed, asked: MemberRequest, hub: Hub) -> None:
    client = browser(person("engineer", images.publisher.party.organisation))
    shown = client.get(PAGE)
    assert "south.example" in said(shown)
    assert b'<button type="submit" class="button">Keep</button>' not in shown.content
    row = Subscription.objects.get(organisation=hub.organisation)
    form = {"list": "aurora.example/images", "hub": "south.example", "seen": terms_standing(row), "members": "hub"}
    assert client.post(PAGE, form).status_code == 403
    assert client.post(deed(asked, "deny"), a_decision(asked)).status_code == 403


def test_it_says_what_would_be_here(images: b.Feed) -> None:
    client = browser(person("analyst", images.publisher.party.organisation))
    assert "No other hub has asked for a list yet" in said(client.get(PAGE))
