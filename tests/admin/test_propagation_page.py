"""The page *Withdrawal propagation*, as a hotline's analyst reads it; and the logs' state, as the operator does."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from hashshare.admin.marks import DASH, duration
from hashshare.models import Acknowledgement, HashList, Log, Organisation, Release, Reminder, Subscription
from hashshare.services.sealing import seal_logs
from tests import logs
from tests.admin.cast import browser, person
from tests.admin.conftest import Hub

PAGE = "/admin/propagation/"
HASH = re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(hub: Hub) -> Release:
    """Aurora took three entries back two days ago; so far nobody has said anything."""
    return withdrawn(hub.aurora.of[Release], days=2)


def withdrawn(row: object, *, days: int) -> Release:
    assert isinstance(row, Release)
    row.withdrawals, row.published_at = 3, timezone.now() - timedelta(days=days)
    row.save()
    Reminder.objects.all().delete()
    Acknowledgement.objects.filter(list=row.list).delete()
    Subscription.objects.filter(list=row.list).update(
        state="active", entitled_at=row.published_at - HOUR, terms_accepted_at=row.published_at - HOUR
    )
    return row


def another(release: Release, name: str, *, ended: bool = False) -> Organisation:
    made = Organisation.objects.create(
        slug=name.lower().strip("="), name=name, kind="member", country="DE", state="active"
    )
    assert release.published_at is not None
    Subscription.objects.create(
        list=release.list,
        organisation=made,
        state="revoked" if ended else "active",
        entitled_at=release.published_at - HOUR,
        terms_accepted_at=release.published_at - HOUR,
        closed_at=release.published_at + HOUR if ended else None,
    )
    return made


def stated(release: Release, who: Organisation, after: timedelta, *, purged: int = 0) -> None:
    assert release.published_at is not None
    Acknowledgement.objects.create(
        list=release.list, organisation=who, version=1, purged=purged, manifest_digest="0" * 64,
        received_at=release.published_at + after,
    )  # fmt: skip


def of(release: Release, **more: str) -> str:
    return f"{PAGE}?{urlencode({'list': release.list.name, 'version': str(release.version), **more})}"


def words(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "style=" not in text
    body = text[text.index('<div id="content"') :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_it_shows_each_withdrawal_and_how_far_it_is(hub: Hub, release: Release) -> None:
    granite = another(release, "Granit")
    stated(release, granite, 2 * HOUR + timedelta(minutes=5), purged=1)
    text = words(browser(hub.analyst), PAGE)
    moment = release.published_at
    assert moment is not None
    row = f"aurora.example/images 1 {moment:%Y-%m-%d %H:%M} 3 1 of 2 1 1 2 h 5 min 2 h 5 min"
    assert row in text


def test_it_shows_member_by_member_who_needs_a_call_first(hub: Hub, release: Release) -> None:
    for name, after, purged in (("Basalt", HOUR, 0), ("Agate", 3 * HOUR, 1)):
        stated(release, another(release, name), after, purged=purged)
    another(release, "Slate", ended=True)
    Reminder.objects.create(release=release, organisation=hub.aurora.member, recipients=2)
    text = words(browser(hub.analyst), of(release))
    assert re.findall(r"(Cobalt|Basalt|Agate|Slate) [A-Z][A-Za-z ]+? (overdue|access ended|applied|purged)", text) == [
        ("Cobalt", "overdue"),
        ("Slate", "access ended"),
        ("Basalt", "applied"),
        ("Agate", "purged"),
    ]
    assert "Applied 2 of 4 members" in text
    assert "Purged 1 of 4 members" in text
    assert "Overdue 1 member " in text
    assert "3 entries withdrawn" in text
    assert not HASH.search(text)


def test_it_shows_a_hotline_its_own_and_an_operator_all(hub: Hub, release: Release) -> None:
    other = withdrawn(hub.borealis.of[Release], days=1)
    assert words(browser(hub.operator), PAGE).count("/images 1 ") == 2
    analyst = browser(hub.analyst)
    text = analyst.get(PAGE).content.decode()
    assert "aurora.example/images" in text
    assert "borealis" not in text
    assert analyst.get(of(other)).status_code == 404
    assert "took an entry back" in words(analyst, f"{PAGE}?list=borealis.example/images")
    assert browser(hub.operator).get(of(other)).status_code == 200


@pytest.mark.parametrize("role", ["engineer", "observer"])
def test_nobody_else_sees_it(hub: Hub, release: Release, role: str) -> None:
    """The engineer is a member's."""
    client = browser(hub.person(role))
    for address in (PAGE, of(release), of(release, format="csv")):
        assert client.get(address).status_code == 403
    assert "/admin/propagation/" not in client.get("/admin/", follow=True).content.decode()


def test_it_stands_in_the_navigation_of_those_who_may_see_it(hub: Hub) -> None:
    engineer = person("engineer", hub.aurora.hotline)
    for who in (hub.analyst, engineer, hub.operator):
        assert "/admin/propagation/" in browser(who).get("/admin/").content.decode()


def test_it_can_be_narrowed_to_a_list_and_a_period(hub: Hub, release: Release) -> None:
    first = release.list
    second = HashList.objects.get(pk=first.pk)
    second.pk, second.slug, second.tuf_id = None, "video", "0" * 16
    second.save()
    client = browser(hub.operator)
    withdrawn(hub.borealis.of[Release], days=20)
    assert "borealis.example/images 1" in words(client, PAGE)
    assert "borealis.example/images 1" not in words(client, f"{PAGE}?days=7")
    assert "aurora.example/images 1" not in words(client, f"{PAGE}?list=borealis.example/images")
    assert "took an entry back" in words(client, f"{PAGE}?list=aurora.example/video")
    assert "aurora.example/images 1" in words(client, f"{PAGE}?days=6x")


@pytest.mark.parametrize("query", ["?version=x", "?version=1", "?list=aurora.example/images&version=9", "?version=²"])
def test_what_is_not_there_is_not_found(hub: Hub, release: Release, query: str) -> None:
    assert browser(hub.analyst).get(PAGE + query).status_code == 404


def test_its_csv_holds_no_formula(hub: Hub, release: Release) -> None:
    stated(release, another(release, "=HYPERLINK(1)"), HOUR)
    answer = browser(hub.analyst).get(of(release, format="csv"))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["organisation"], row["state"]) for row in rows] == [
        ("Cobalt", "overdue"),
        ("'=HYPERLINK(1)", "applied"),
    ]
    assert release.published_at is not None
    assert datetime.fromisoformat(rows[1]["applied_at"]) == release.published_at + HOUR
    assert rows[0]["applied_at"] == ""


def test_it_says_so_when_there_is_nothing(hub: Hub) -> None:
    assert "No release took an entry back in this period." in words(browser(hub.analyst), PAGE)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, DASH),
        (0.4, "under 1 s"),
        (59, "59 s"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (86_400 * 2 + 4 * 3600 + 59, "2 d 4 h"),
    ],
)
def test_durations_are_told_in_two_units(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_the_state_of_a_log_tells_whether_somebody_seals_it(hub: Hub) -> None:
    log = hub.aurora.of[Log]
    assert isinstance(log, Log)
    logs.leaves(log, 1234)
    address = "/admin/hashshare/log/"
    assert "sealed 0 1,234" in words(browser(hub.operator), address)
    log.leaves.update(created_at=timezone.now() - timedelta(minutes=6))
    assert "late 0 1,234" in words(browser(hub.analyst), address)
    seal_logs(now=timezone.now())
    assert "sealed 1,234 0" in words(browser(hub.operator), address)
