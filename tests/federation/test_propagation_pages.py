"""The pages about withdrawals show other hubs: numbers to whoever sees the page, members to the hotline alone."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hashshare.admin.marks import DASH
from tests import builders as b
from tests.admin.cast import browser, person
from tests.federation.builders import agreed, north, south
from tests.federation.builders_evidence import (
    RemoteCobalt,
    as_party,
    count,
    counts,
    report,
    send,
    version_2,
    withdrawing_feed,
)
from tests.services.statements import state

pytestmark = pytest.mark.django_db
PAGE = "/admin/propagation/"
ONE = f"{PAGE}?list=aurora.example/images&version=2"


@pytest.fixture
def images(db: None) -> b.Feed:
    """South told of two members, one of which has applied the withdrawal; North, which has the list too, of nothing."""
    from_south = south()
    agreed(from_south, "out")
    feed = withdrawing_feed(b.member("Basalt"), as_party(from_south), as_party(north()))
    state(as_party(from_south), feed, 2)
    cobalt, granite = RemoteCobalt(from_south), RemoteCobalt(from_south, "granite")
    send(
        from_south,
        report(
            *(from_south, feed),
            hubs=(counts(count(entitled=2, applied=1)), counts(count(entitled=3), path=("east.example",))),
            members=(cobalt.named(name="Cobalt Works"), granite.named()),
            statements=(cobalt.statement(feed),),
        ),
    )
    return feed


def analyst(feed: b.Feed) -> Client:
    return browser(person("analyst", feed.publisher.party.organisation))


def words(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "style=" not in text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text[text.index('<div id="content"') :])).split())


def test_the_overview_tells_other_hubs_beside_this_one(images: b.Feed) -> None:
    text = words(analyst(images), PAGE)
    assert "0 of 1" in text
    assert "1 of 2 at south.example" in text
    assert "0 of 3 at east.example" in text
    assert "nothing told at north.example" in text


def test_one_withdrawal_shows_each_hub_and_to_the_hotline_its_members(images: b.Feed) -> None:
    text = words(analyst(images), ONE)
    assert re.search(r"south\.example \d{4}-\d\d-\d\d \d\d:\d\d 1 of 2 0 0", text)
    assert "1 signed statement," in text
    assert f"east.example via south.example {DASH} 0 of 3" in text
    assert "north.example waiting nothing told yet" in text
    assert "Cobalt Works DE applied" in text
    assert "granite DE waiting" in text


def test_an_operator_sees_numbers_and_nobody_of_another_hub(images: b.Feed) -> None:
    operator = browser(person("operator"))
    for address in (PAGE, ONE, f"{ONE}&format=csv", f"/admin/releases/{version_2(images).pk}/"):
        body = operator.get(address).content.decode()
        assert "south.example" in body or "csv" in address
        assert "Cobalt Works" not in body and "granite" not in body


def test_the_csv_of_the_hotline_has_them_too(images: b.Feed) -> None:
    answer = analyst(images).get(f"{ONE}&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["hub"], row["organisation"], row["state"]) for row in rows] == [
        ("", "Basalt", "waiting"),
        ("south.example", "Cobalt Works", "applied"),
        ("south.example", "granite", "waiting"),
    ]


def test_the_page_of_a_release_shows_other_hubs(images: b.Feed) -> None:
    text = words(analyst(images), f"/admin/releases/{version_2(images).pk}/")
    assert "At other hubs" in text and "1 of 2" in text
    assert "of 1 member" in text  # hubs are none
    assert "Cobalt Works" not in text


def test_pages_ask_few_questions(images: b.Feed) -> None:
    client = analyst(images)
    for address in (PAGE, ONE, f"/admin/releases/{version_2(images).pk}/"):
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        assert len(queries) < 15, address
