"""The member's desk: what it shows of the own organisation and of no other, and what it says to do next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hashshare.admin import member_desk
from hashshare.models import AccessKey, OrganisationKey, Release, Subscription
from hashshare.selectors.callers import Caller, caller_of_person
from hashshare.services.access_keys import create_access_key
from hashshare.services.organisations import suspend_organisation
from hashshare.services.sealing import seal_logs
from tests import builders as b
from tests.admin.cast import browser, organisation, person
from tests.admin.desk_cast import DESK, IMAGES, LISTS, Desk, desk_of_cobalt
from tests.services.statements import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(db: None) -> Desk:
    return desk_of_cobalt()


def test_it_is_for_engineers_and_for_all_people_of_members(desk: Desk) -> None:
    aurora = desk.images.publisher.party.organisation
    delta = organisation("Delta", "partner")
    people = {
        desk.engineer: 200,
        desk.analyst: 200,
        person("engineer", aurora): 200,
        person("analyst", aurora): 403,
        person("observer", delta): 403,
        person("engineer", delta): 302,  # no role of a partner, so it opens nothing
        person("operator"): 403,
    }
    for who, status in people.items():
        for path in (DESK, LISTS):
            assert browser(who).get(path).status_code == status, (who, path)
    suspend_organisation(organisation=desk.cobalt.organisation)
    assert desk.client.get(DESK)["Location"].startswith("/admin/login/")


def test_it_stands_in_the_navigation_of_those_who_have_it(desk: Desk) -> None:
    assert f'href="{DESK}"' in desk.client.get("/admin/").content.decode()
    assert f'href="{DESK}"' not in browser(person("operator")).get("/admin/").content.decode()


def test_an_empty_desk_says_what_would_be_there_and_how_it_comes(desk: Desk) -> None:
    text = desk.text()
    assert "No list yet." in text
    assert "You take no list yet" in text
    assert "A withdrawal that your machines have not acknowledged stands here" in text
    assert "its receipt is here a minute later" in text
    OrganisationKey.objects.all().update(revoked_at=timezone.now() - timedelta(days=200))
    text = desk.text()
    assert "No machine has enrolled." in text
    assert "No machine of yours can reach this hub" in text


def test_it_says_how_far_each_list_is_and_what_to_run(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    text = desk.text()
    assert ">never synced<" in text
    assert "<code>hashshare sync</code>" in text
    desk.synced(1)
    text = desk.text()
    assert ">up to date<" in text
    assert "Nothing needs you." in text
    desk.withdraw()
    assert ">behind<" in desk.text()


def test_of_many_lists_it_shows_those_that_need_somebody_and_says_that_there_are_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = b.feed(desk.images.publisher, "other")
    other.publish(other.first([b.entry()]))
    for feed in (desk.images, other):
        b.subscribed(desk.cobalt, feed)
    desk.synced(1)
    assert "more that need nothing sooner" not in desk.text()
    monkeypatch.setattr(member_desk, "SHOWN", 1)
    text = desk.text()
    assert "And 1 more that need nothing sooner" in text
    assert ">never synced<" in text  # the other one, though images comes before it
    assert ">up to date<" not in text
    assert "at least" not in text
    for _ in range(2):
        desk.withdraw()
    text = desk.text()
    assert text.count(">to apply<") == 1
    assert "there are at least 1 more" in text


def test_it_names_withdrawals_that_are_not_acknowledged_and_those_overdue(desk: Desk) -> None:
    desk.withdraw()  # before Cobalt was entitled: not its duty
    b.subscribed(desk.cobalt, desk.images)
    assert ">to apply<" not in desk.text()
    desk.withdraw()
    assert ">to apply<" in desk.text()
    Release.objects.filter(version=3).update(published_at=timezone.now() - timedelta(hours=30))
    Subscription.objects.update(entitled_at=timezone.now() - timedelta(days=3))
    text = desk.text()
    assert ">overdue<" in text
    assert "overdue: you still match against entries that were wrong" in text
    desk.synced(3)
    text = desk.text()
    assert ">overdue<" not in text
    assert "you still match" not in text


def test_it_shows_keys_with_their_clock_last_contact_and_last_sync(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    key = OrganisationKey.objects.get(organisation=desk.cobalt.organisation)
    OrganisationKey.objects.filter(pk=key.pk).update(
        clock_skew_seconds=-95, not_after=timezone.now() + timedelta(days=5), last_seen_at=timezone.now()
    )
    deliver(desk.cobalt, desk.images)
    key.refresh_from_db()
    assert key.last_synced_at is not None
    text = desk.text()
    assert "-95 s" in text
    assert "is 95 s ahead of the hub&#x27;s" in text
    assert "hashshare key rotate" in text
    assert f"{key.last_synced_at:%Y-%m-%d %H:%M}" in text
    assert key.fingerprint in text


def test_it_shows_access_keys_with_who_made_them_and_never_the_key(desk: Desk) -> None:
    now, machine = timezone.now(), OrganisationKey.objects.get(organisation=desk.cobalt.organisation)
    _, text = create_access_key(caller=caller_of_person(desk.engineer), name="by a person", days=9, now=now)
    create_access_key(caller=desk.cobalt.caller, name="by a machine", days=9, now=now)
    create_access_key(caller=Caller(desk.cobalt.organisation, "session", "who@is.it"), name="by none", days=9, now=now)
    page = desk.text()
    assert '<td class="wraps">engineer@cobalt.example</td>' in page
    assert f'<td class="wraps">{machine.name}</td>' in page
    assert "by none" in page
    assert text not in page


def test_it_gives_a_receipt_for_what_is_sealed_to_its_owner_alone(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    delivery = deliver(desk.cobalt, desk.images)
    path = f"{DESK}receipts/{delivery.leaf.pk}/"
    assert ">to be sealed<" in desk.text()
    waiting = desk.client.get(path, follow=True)
    assert "not sealed yet" in waiting.content.decode()
    seal_logs(now=timezone.now())
    assert ">in the log<" in desk.text()
    answer = desk.client.get(path)
    assert answer["Content-Disposition"] == 'attachment; filename="receipt-aurora.example-images-0.json"'
    assert set(answer.json()) == {"index", "row", "nonce", "receipt"}
    for who in (
        person("engineer", desk.granite.organisation),
        person("engineer", desk.images.publisher.party.organisation),
    ):
        assert browser(who).get(path).status_code == 404
    assert browser(person("operator")).get(path).status_code == 403
    assert desk.client.get(f"{DESK}receipts/999999999/").status_code == 404


def test_it_shows_nothing_of_others(desk: Desk) -> None:
    b.subscribed(desk.granite, desk.images)
    desk.withdraw()
    deliver(desk.granite, desk.images, 2)
    AccessKey.objects.create(
        organisation=desk.granite.organisation,
        name="granites own",
        prefix="abcd1234",
        secret_hash="0" * 64,
        expires_at=timezone.now() + timedelta(days=9),
    )
    text = desk.text()
    granites = OrganisationKey.objects.get(organisation=desk.granite.organisation)
    assert "No list yet." in text
    for foreign in ("Granite", "granites own", granites.fingerprint, ">to apply<", ">Delivery<"):
        assert foreign not in text, foreign
    assert "Granite" not in desk.text(LISTS)
    assert "Granite" not in desk.text(IMAGES)


def test_it_costs_the_same_queries_however_much_there_is(desk: Desk) -> None:
    b.subscribed(desk.cobalt, desk.images)
    desk.synced(1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            desk.text()
        return len(found)

    few = queries()
    for number in range(4):
        other = b.feed(desk.images.publisher, f"more-{number}")
        other.publish(other.first([b.entry()]))
        b.subscribed(desk.cobalt, other)
        deliver(desk.cobalt, other)
        desk.withdraw()
    assert queries() == few < 15
