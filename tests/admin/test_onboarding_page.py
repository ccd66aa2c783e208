"""Onboarding and decisions: operators see where everybody stands, since when, and who does the next step."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hashshare.models import (
    Authenticator,
    Commitment,
    Draft,
    Invitation,
    Organisation,
    OrganisationKey,
    Publisher,
    StatementAction,
    Subscription,
)
from hashshare.selectors.onboarding import Onboarding, onboardings
from hashshare.services.invitations import invite_organisation
from hashshare.services.organisations import suspend_organisation
from hashshare.services.subscriptions import request_subscription
from tests import builders as b
from tests.admin.cast import browser, person
from tests.federation.builders import mirrored_hotline, north
from tests.services.statements import deliver, state

pytestmark = pytest.mark.django_db
ONBOARDING, WAITING = "/admin/onboarding/", "/admin/waiting/"


@pytest.fixture
def operator(db: None) -> Client:
    return browser(person("operator"))


def standing(name: str) -> Onboarding:
    return next(each for each in onboardings(now=b.now()) if each.organisation.name == name)


def next_of(name: str) -> str:
    step = standing(name).next
    return step.name if step else "arrived"


@pytest.mark.parametrize("path", [ONBOARDING, WAITING])
def test_it_is_the_operators_alone(operator: Client, path: str) -> None:
    assert operator.get(path).status_code == 200
    aurora = b.party("hotline", "Aurora").organisation
    for who in (person("analyst", aurora), person("engineer", aurora), person("observer", b.partner().organisation)):
        assert browser(who).get(path).status_code == 403
    assert Client().get(path).status_code == 302


def test_empty_pages_say_what_would_be_there(operator: Client) -> None:
    assert "Invite the first" in operator.get(ONBOARDING).content.decode()
    assert "Nothing waits." in operator.get(WAITING).content.decode()


def test_a_member_goes_from_the_invitation_to_its_first_acknowledgement() -> None:
    images = b.feed(b.publisher())
    images.publish(images.first([b.entry()]))
    invite_organisation(kind="member", name="Granite", country="CA", now=b.now())
    assert next_of("Granite") == "key enrolled"
    cobalt = b.member("Cobalt")
    assert next_of("Cobalt") == "people in"
    engineer = person("engineer", cobalt.organisation)
    assert next_of("Cobalt") == "second factor"
    Authenticator.objects.create(person=engineer, sealed_key=b"sealed")
    assert next_of("Cobalt") == "list asked for"
    request_subscription(
        caller=cobalt.caller,
        domain="aurora.example",
        slug="images",
        terms_digest=images.row.terms_digest,
        now=b.now(),
    )
    assert next_of("Cobalt") == "list granted"
    b.subscribed(cobalt, images)
    assert next_of("Cobalt") == "first sync"
    deliver(cobalt, images)
    found = standing("Cobalt")
    assert found.next is not None
    assert (found.next.name, found.done) == ("first applied", 7)
    state(cobalt, images)
    assert next_of("Cobalt") == "arrived"


def test_a_hotline_goes_to_its_first_grant() -> None:
    aurora = b.Publisher(b.party("hotline", "Aurora", domains=["aurora.example"]), "aurora.example")
    Authenticator.objects.create(person=person("analyst", aurora.party.organisation), sealed_key=b"sealed")
    assert next_of("Aurora") == "root published"
    aurora.init()
    assert next_of("Aurora") == "first list"
    images = b.feed(aurora)
    assert next_of("Aurora") == "first release"
    images.publish(images.first([b.entry()]))
    assert next_of("Aurora") == "first grant"
    b.subscribed(b.member(), images)
    assert next_of("Aurora") == "arrived"


def test_it_says_who_does_what_and_offers_the_deed(operator: Client) -> None:
    invite_organisation(kind="member", name="Granite", country="CA", now=b.now())
    text = operator.get(ONBOARDING).content.decode()
    assert "runs hashshare enroll with its code, good until" in text
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    text = operator.get(ONBOARDING).content.decode()
    assert "make a new code: the old one ran out" in text
    granite = Organisation.objects.get(name="Granite")
    assert f"/admin/hashshare/organisation/{granite.pk}/do/invite-key/" in text


def test_it_tells_the_longest_wait_first_and_filters_by_the_address(operator: Client) -> None:
    b.partner("Delta")
    for name, days in (("Cobalt", 3), ("Granite", 9)):
        made = b.member(name)
        moment = timezone.now() - timedelta(days=days)
        Organisation.objects.filter(pk=made.organisation.pk).update(created_at=moment)
        OrganisationKey.objects.filter(organisation=made.organisation).update(created_at=moment)
    text = operator.get(ONBOARDING).content.decode()
    assert text.index(">Granite<") < text.index(">Cobalt<") < text.index(">Delta<")
    assert "9 d" in text
    assert ">Delta<" not in operator.get(f"{ONBOARDING}?kind=member").content.decode()
    assert ">Cobalt<" not in operator.get(f"{ONBOARDING}?state=arrived").content.decode()
    assert ">Cobalt<" in operator.get(f"{ONBOARDING}?kind=nonsense&state=%00").content.decode()


def test_suspended_organisations_and_the_sandbox_are_left_out() -> None:
    suspend_organisation(organisation=b.member("Granite").organisation)
    b.publisher("Sandbox of North", "sandbox.north")
    Publisher.objects.update(sandbox=True)
    assert onboardings(now=b.now()) == []


def test_a_hotline_at_home_at_another_hub_is_not_on_its_way_and_an_accepted_hub_has_arrived() -> None:
    made = north()
    mirrored_hotline(made)

    assert [each.organisation for each in onboardings(now=b.now())] == [made.organisation]
    assert next_of("north.example") == "arrived"


def test_requests_wait_by_age_with_who_decides(operator: Client) -> None:
    images = b.feed(b.publisher())
    for name in ("Cobalt", "Granite"):
        who = b.member(name)
        request_subscription(
            caller=who.caller,
            domain="aurora.example",
            slug="images",
            terms_digest=images.row.terms_digest,
            now=b.now(),
        )
    row = Subscription.objects.get(organisation__name="Granite")
    Subscription.objects.filter(pk=row.pk).update(requested_at=timezone.now() - timedelta(days=8))
    text = operator.get(WAITING).content.decode()
    assert text.index("Granite") < text.index("Cobalt")
    assert '<span class="state state-warn">8 d' in text
    assert f"/admin/hashshare/subscription/{row.pk}/change/" in text


def test_uploads_and_commitments_wait_there_too(operator: Client) -> None:
    aurora = b.feed(b.publisher())
    analyst = person("analyst", aurora.publisher.party.organisation)
    Draft.objects.create(
        list=aurora.row, kind="changes", file_name="new.csv", digest="0" * 64, length=9, state="submitted",
        uploaded_by=analyst, submitted_by=analyst, submitted_at=timezone.now(),
    )  # fmt: skip
    action = StatementAction.objects.create(key="share-hashes-now", text="Share hashes with everybody")
    commitment = Commitment.objects.create(
        signatory=aurora.publisher.party.organisation, action=action, state="signed", source="https://aurora.example/",
        dated=timezone.now().date(), entered_by=analyst,
    )  # fmt: skip
    text = operator.get(WAITING).content.decode()
    assert "another analyst of Aurora" in text
    assert f"/admin/hashshare/hashlist/{aurora.row.pk}/change/" in text
    assert "Share hashes with everybody" in text
    assert f"/admin/hashshare/commitment/{commitment.pk}/change/" in text


def test_300_organisations_cost_as_many_queries_as_one(operator: Client) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert operator.get(path).status_code == 200
        return len(found)

    images = b.feed(b.publisher())
    few = {path: queries(f"{path}?state=all") for path in (ONBOARDING, WAITING)}
    now = timezone.now()
    made = Organisation.objects.bulk_create(
        Organisation(slug=f"m{n}", name=f"Member {n:03}", kind="member", country="NL", created_at=now)
        for n in range(300)
    )
    Subscription.objects.bulk_create(Subscription(list=images.row, organisation=each) for each in made)
    for path, number in few.items():
        assert queries(f"{path}?state=all") <= number + 1 < 15, path
    waiting = operator.get(WAITING).content.decode()
    assert waiting.count(">Request for a list<") == 50
    assert "The 50 that wait longest." in waiting
    first = operator.get(f"{ONBOARDING}?kind=member").content.decode()
    assert "1 to 25 of 300" in first
    assert "?kind=member&amp;page=2" in first
    assert "276 to 300 of 300" in operator.get(f"{ONBOARDING}?kind=member&page=12").content.decode()
    assert "1 to 25 of 300" in operator.get(f"{ONBOARDING}?kind=member&page=x").content.decode()
