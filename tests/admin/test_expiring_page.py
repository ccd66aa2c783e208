"""The page *What expires next*, as operators and as an organisation's people read it; and what the overview says."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hashshare.admin.expiring import RENEWED, WORDS
from hashshare.models import (
    AccessKey,
    ExpiryWarning,
    HashList,
    Invitation,
    Metadata,
    Organisation,
    OrganisationKey,
    Publisher,
    Subscription,
)
from hashshare.selectors.expiring import SOURCES
from hashshare.selectors.steps import STEPS
from hashshare.services.warnings import HOW, warn_expiring
from hashshare.wire.repository.metadata import MAJOR, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from tests.admin.cast import browser, person
from tests.admin.conftest import Hub
from tests.admin.test_propagation_page import words

PAGE = "/admin/expiring/"
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ending(hub: Hub) -> Hub:
    """Of Aurora and Cobalt, and a second time of Borealis and Granite, something of every kind, two days apart."""
    now = timezone.now()
    OrganisationKey.objects.update(not_after=None)
    for at, rows in ((1, hub.aurora), (2, hub.borealis)):
        publisher, found = rows.of[Publisher], rows.of[HashList]
        assert isinstance(publisher, Publisher)
        assert isinstance(found, HashList)
        HashList.objects.filter(pk=found.pk).update(role_version=1)
        signed(publisher, found, now - 13 * DAY, now + at * DAY)
        signed(publisher, None, now, now + (at + 1) * timedelta(hours=5), role="timestamp")
        Subscription.objects.filter(list=found).update(state="active", ends_at=now + (20 + at) * DAY)
        OrganisationKey.objects.filter(organisation=rows.hotline).update(not_after=now + (30 + at) * DAY)
    return hub


def signed(publisher: Publisher, found: HashList | None, begins: Any, ends: Any, *, role: str = "") -> None:
    Metadata.objects.create(
        publisher=publisher,
        list=found,
        role=found.tuf_id if found else role,
        version=1,
        body=secrets.token_bytes(8),
        sha256=secrets.token_hex(32),
        accepted_at=begins,
        expires_at=ends,
    )


def rows(client: Client, query: str = "") -> list[list[str]]:
    """The cells of the table, without tags."""
    text = client.get(PAGE + query).content.decode()
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)
        ]
        for row in body.split("<tr>")[1:]
    ]


def kinds(client: Client, query: str = "") -> list[str]:
    return [row[3] for row in rows(client, query)]


def test_operators_see_everything_soonest_first(ending: Hub) -> None:
    found = rows(browser(ending.operator), "?days=all")
    assert [(row[3], row[5], row[6]) for row in found] == [
        ("Hub's timestamp", "this hub", "this hub"),
        ("Hub's timestamp", "this hub", "this hub"),
        ("Feed signature", "Aurora", "Aurora"),
        ("Feed signature", "Borealis", "Borealis"),
        ("Access key", "Cobalt", "Cobalt"),
        ("Access key", "Granite", "Granite"),
        ("Invitation", "Cobalt", "operators"),
        ("Invitation", "Granite", "operators"),
        ("Subscription", "Cobalt", "Aurora"),
        ("Subscription", "Granite", "Borealis"),
        ("Organisation key", "Aurora", "Aurora"),
        ("Organisation key", "Borealis", "Borealis"),
        ("Signature of the root", "Aurora", "Aurora's officers"),
        ("Signature of the root", "Borealis", "Borealis's officers"),
    ]
    assert [row[1] for row in found[:5]] == ["in time", "in time", "soon", "soon", "in time"]
    assert found[2][4] == "aurora.example/images"


def test_the_hub_itself_renews_the_feed_signature_of_a_hosted_list(ending: Hub) -> None:
    HashList.objects.filter(publisher__organisation=ending.aurora.hotline).update(hosted=True)
    found = rows(browser(ending.operator), "?kind=signature&days=30")
    feeds = [(row[5], row[6], row[7]) for row in found if row[3] == "Feed signature"]
    assert feeds == [
        ("Aurora", "this hub", "by itself"),
        ("Borealis", "Borealis", "nightly publish or publisher refresh"),
    ]


@pytest.mark.parametrize(
    ("who", "own"),
    [
        ("analyst", ["Feed signature", "Subscription", "Organisation key", "Signature of the root"]),
        ("engineer", ["Access key", "Invitation", "Subscription"]),
    ],
)
def test_an_organisations_people_see_their_own(ending: Hub, who: str, own: list[str]) -> None:
    """The analyst is Aurora's, the engineer Cobalt's, which subscribes to Aurora's list."""
    client = browser(ending.person(who))
    assert kinds(client, "?days=all") == own
    text = client.get(f"{PAGE}?days=all").content.decode()
    for other in ("Granite", "Borealis", "borealis.example"):
        assert other not in text
    for address in re.findall(r'href="(/admin/hashshare/[^"]+)"', text.partition("<tbody>")[2]):
        assert client.get(address).status_code == 200, address


def test_observers_and_strangers_see_nothing(ending: Hub) -> None:
    assert browser(ending.observer).get(PAGE).status_code == 403
    assert Client().get(PAGE).status_code == 302
    Organisation.objects.filter(pk=ending.aurora.hotline.pk).update(state="suspended")
    assert browser(ending.analyst).get(PAGE).status_code == 302


def test_filters_stay_in_the_address(ending: Hub) -> None:
    client = browser(ending.operator)
    assert kinds(client, "?days=7&kind=signature") == [
        "Hub's timestamp", "Hub's timestamp", "Feed signature", "Feed signature",
    ]  # fmt: skip
    assert kinds(client, "?kind=key&days=30") == []
    assert kinds(client, "?kind=key&days=365") == ["Organisation key"] * 2
    assert "Signature of the root" not in kinds(client)  # 90 days unless said otherwise
    text = client.get(f"{PAGE}?days=30&kind=key").content.decode()
    links = [parse_qs(link) for link in re.findall(r'href="\?([^"]*)"', text.replace("&amp;", "&"))]
    assert {"days": ["365"], "kind": ["key"]} in links
    assert {"days": ["30"], "kind": ["subscription"]} in links
    assert {"days": ["30"]} in links


@pytest.mark.parametrize("query", ["?days=5", "?days=²", "?kind=person", "?days=all&days=9999999999", "?kind="])
def test_what_no_filter_offers_is_left_unasked(ending: Hub, query: str) -> None:
    assert browser(ending.operator).get(PAGE + query).status_code == 200


def test_it_says_so_when_there_is_nothing(hub: Hub) -> None:
    text = words(browser(hub.analyst), f"{PAGE}?kind=key&days=7")
    assert "Nothing of this kind ends in this period." in text
    assert "show all of them" in text


def test_what_is_over_is_named_first(ending: Hub) -> None:
    Metadata.objects.filter(list=ending.borealis.of[HashList].pk).update(expires_at=timezone.now() - DAY)
    first = rows(browser(ending.operator))[0]
    assert (first[1], first[2], first[4]) == ("overdue", "\N{EN DASH}", "borealis.example/images")


def test_invitations_that_ran_out_or_were_used_are_left_out(ending: Hub) -> None:
    Invitation.objects.filter(organisation=ending.aurora.member).update(expires_at=timezone.now() - DAY)
    AccessKey.objects.filter(organisation=ending.aurora.member).update(revoked_at=timezone.now())
    assert kinds(browser(ending.engineer), "?days=all") == ["Subscription"]


def test_it_shows_the_soonest_of_many_with_few_queries(ending: Hub) -> None:
    member, now = ending.aurora.member, timezone.now()
    AccessKey.objects.bulk_create(
        AccessKey(organisation=member, name=f"k{n}", prefix=f"{n:08d}", secret_hash="0" * 64, expires_at=now + n * DAY)
        for n in range(1, 301)
    )
    client = browser(ending.operator)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{PAGE}?days=all")
    assert len(queries) < 15, [query["sql"] for query in queries]
    assert "The first 50." in words(client, f"{PAGE}?days=all")
    assert len(rows(client, "?days=all")) == 50


def test_the_overview_says_what_needs_somebody(ending: Hub) -> None:
    analyst, operator = browser(ending.analyst), browser(ending.operator)
    assert "1 signature is about to expire: aurora.example/images." in words(analyst, "/admin/")
    assert "2 signatures are about to expire: aurora.example/images, borealis.example/images." in words(
        operator, "/admin/"
    )
    Metadata.objects.filter(list__isnull=False).update(expires_at=timezone.now() - DAY)
    assert "1 signature has expired: aurora.example/images." in words(analyst, "/admin/")
    engineer = words(browser(ending.engineer), "/admin/")
    assert "aurora.example" not in engineer


def test_fresh_timestamps_of_many_publishers_hide_nothing_on_the_overview(ending: Hub) -> None:
    """They always end within a day, before most that needs somebody."""
    now, organisation = timezone.now(), ending.aurora.hotline
    for number in range(60):
        other = Publisher.objects.create(organisation=organisation, domain=f"p{number}.example")
        signed(other, None, now, now + timedelta(hours=23), role="timestamp")
    assert "borealis.example/images" in words(browser(ending.operator), "/admin/")


def test_every_role_that_is_signed_is_known_here(ending: Hub) -> None:
    roles = {"feed", ROOT, TARGETS, MAJOR, SNAPSHOT, TIMESTAMP}
    assert set(STEPS) == set(HOW) == roles
    assert set(WORDS) == set(RENEWED) == roles | set(SOURCES) - {"signature"}
    publisher, now = ending.aurora.of[Publisher], timezone.now()
    assert isinstance(publisher, Publisher)
    for role in (TARGETS, MAJOR, SNAPSHOT):
        signed(publisher, None, now - 300 * DAY, now - DAY, role=role)
    found = [row[3] for row in rows(browser(ending.operator)) if row[1] == "overdue"]
    assert sorted(found) == ["Hub's snapshot", "Signature of majors", "Signature of targets"]
    assert warn_expiring(now=now) == 2


def test_a_hotline_sees_what_it_was_told_and_not_what_operators_were(ending: Hub) -> None:
    told = ending.aurora.of[ExpiryWarning]
    assert isinstance(told, ExpiryWarning)
    ExpiryWarning.objects.create(
        publisher=told.publisher, role="timestamp", version=9, step="expired", audience="operators",
        subject="aurora.example timestamp", expires_at=told.expires_at, recipients=3,
    )  # fmt: skip
    address = "/admin/hashshare/expirywarning/"
    assert "aurora.example timestamp" in words(browser(ending.operator), address)
    seen = words(browser(ending.analyst), address)
    assert "aurora.example/images" in seen
    assert "timestamp" not in seen


def test_it_stands_in_the_navigation_of_those_who_may_see_it(hub: Hub) -> None:
    for who in (hub.analyst, hub.engineer, hub.operator, person("engineer", hub.aurora.hotline)):
        assert PAGE in browser(who).get("/admin/").content.decode()
