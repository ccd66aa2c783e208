"""On top of the overview: keys that end, members overdue, jobs that failed or hang, requests that wait for long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hashshare.models import Draft, Job, Organisation, OrganisationKey, Person, Release, Subscription
from hashshare.services.people import create_person
from hashshare.services.reminders import remind_overdue
from tests import builders as b
from tests.admin.cast import PASSWORD, browser, person
from tests.admin.desk_cast import Desk, desk_of_cobalt
from tests.services.statements import state

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def desk(db: None) -> Desk:
    return desk_of_cobalt()


@pytest.fixture
def operator(desk: Desk) -> Client:
    return browser(person("operator"))


def overview(client: Client) -> str:
    text = client.get("/admin/").content.decode()
    start = text.find('<ul class="notices"')
    return "" if start < 0 else text[start : text.index("</ul>", start)]


def test_a_quiet_hub_says_nothing(desk: Desk, operator: Client) -> None:
    for client in (operator, desk.client):
        assert overview(client) == ""


def test_keys_that_end_are_named_to_their_own_and_to_operators(desk: Desk, operator: Client) -> None:
    keys = OrganisationKey.objects.filter(organisation=desk.cobalt.organisation)
    keys.update(not_after=timezone.now() + 3 * DAY, name="sync-01")
    assert "1 key ends within 8 days: sync-01" in overview(operator)
    assert "(Cobalt)" in overview(desk.client)
    assert overview(browser(person("engineer", desk.granite.organisation))) == ""
    keys.update(not_after=timezone.now() - DAY)
    assert overview(operator) == ""


def test_overdue_members_are_named_until_they_acknowledge(desk: Desk, operator: Client) -> None:
    b.subscribed(desk.cobalt, desk.images)
    b.subscribed(desk.granite, desk.images)
    desk.withdraw()
    Release.objects.filter(version=2).update(published_at=timezone.now() - timedelta(hours=30))
    Subscription.objects.update(entitled_at=timezone.now() - 3 * DAY)
    state(desk.granite, desk.images, 2)
    remind_overdue(now=timezone.now())
    hotline = browser(person("analyst", desk.images.publisher.party.organisation))
    for client in (operator, hotline, desk.client):
        assert "Withdrawals are overdue at Cobalt (aurora.example/images)." in overview(client)
        assert "Granite" not in overview(client)
    assert 'href="/admin/desk/"' in overview(desk.client)
    assert overview(browser(person("engineer", desk.granite.organisation))) == ""
    state(desk.cobalt, desk.images, 2)
    assert overview(operator) == ""


def test_jobs_that_failed_through_the_hub_or_hang_are_told_to_operators(desk: Desk, operator: Client) -> None:
    now = timezone.now()
    ours = {"status": 500, "detail": "full"}
    made = {"kind": "verify_release", "organisation": desk.images.publisher.party.organisation}
    Job.objects.create(**made, state="failed", finished_at=now, problem=ours)
    Job.objects.create(**made, state="failed", finished_at=now, problem={"status": 422})
    Job.objects.create(**made, state="failed", finished_at=now - 9 * DAY, problem=ours)
    Job.objects.create(**made, state="queued", created_at=now - DAY)
    Job.objects.create(**made, state="queued", created_at=now)
    text = overview(operator)
    assert "1 job failed through trouble of this hub" in text
    assert "1 job waited for a worker for more than ten minutes." in text
    assert overview(browser(person("engineer", desk.images.publisher.party.organisation))) == ""


def test_every_open_request_is_told_to_who_decides(desk: Desk, operator: Client) -> None:
    Subscription.objects.create(list=desk.images.row, organisation=desk.cobalt.organisation)
    hotline = desk.images.publisher.party.organisation
    said = overview(browser(person("analyst", hotline)))
    assert f"1 request for a list waits for your decision since {timezone.now():%Y-%m-%d}." in said
    assert 'href="/admin/hashshare/subscription/?state__exact=requested"' in said
    assert "Waiting for a decision, the first since" in overview(operator)
    assert "1 request for a list." in overview(operator)
    assert 'href="/admin/waiting/"' in overview(operator)
    assert overview(desk.client) == overview(browser(person("engineer", hotline))) == ""


def test_an_upload_is_told_to_the_analysts_who_may_approve_it(desk: Desk, operator: Client) -> None:
    hotline = desk.images.publisher.party.organisation
    ada, grace = person("analyst", hotline), another_analyst("grace", hotline)
    Draft.objects.create(
        list=desk.images.row,
        kind="whole",
        file_name="images.csv",
        digest="0" * 64,
        length=1,
        state="submitted",
        uploaded_by=ada,
        submitted_by=ada,
        submitted_at=timezone.now(),
    )
    assert "1 upload of your hotline waits for your approval since" in overview(browser(grace))
    assert 'href="/admin/uploads/"' in overview(browser(grace))
    assert "1 upload." in overview(operator)
    other = another_analyst("olaf", b.publisher("Borealis", "borealis.example").party.organisation)
    for nobody in (ada, other, desk.analyst):
        assert overview(browser(nobody)) == ""
    Draft.objects.update(uploaded_by=grace)
    assert overview(browser(grace)) == ""


def another_analyst(name: str, hotline: Organisation) -> Person:
    return create_person(
        email=f"{name}@{hotline.slug}.example", role="analyst", organisation=hotline, password=PASSWORD
    )


def test_it_costs_the_same_queries_at_300_organisations(desk: Desk, operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            overview(operator)
        return len(found)

    few = queries()
    made = Organisation.objects.bulk_create(
        Organisation(slug=f"m{n}", name=f"Member {n:03}", kind="member", country="NL") for n in range(300)
    )
    long_ago = timezone.now() - 20 * DAY
    Subscription.objects.bulk_create(
        Subscription(list=desk.images.row, organisation=each, requested_at=long_ago) for each in made
    )
    assert queries() == few < 15
    assert f"the first since {long_ago:%Y-%m-%d}: 300 requests for a list." in overview(operator)
