"""Large tables: rows are counted up to a bound, dates and filters are offered without reading all of them."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hashshare.admin import paging
from hashshare.models import Delivery, Organisation
from tests.admin.addresses import changelist
from tests.admin.cast import browser
from tests.admin.conftest import Hub
from tests.admin.doors import said

DATES = 'aria-label="Dates">'
PATH = "/admin/hashshare/delivery/"


def deliver(hub: Hub, *moments: datetime) -> None:
    given = hub.aurora.of[Delivery]
    assert isinstance(given, Delivery)
    Delivery.objects.bulk_create(
        Delivery(
            list=given.list, organisation=given.organisation, version=number, manifest_digest="0" * 64, bytes=9, at=at
        )
        for number, at in enumerate(moments)
    )


def test_it_counts_up_to_a_bound_and_says_that_there_are_more(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "COUNTED", 60)
    deliver(hub, *[datetime(2026, 11, 1, tzinfo=UTC)] * 58)
    client = browser(hub.operator)
    assert "60 deliveries" in said(client.get(PATH))
    assert "of more" not in said(client.get(PATH))
    deliver(hub, datetime(2026, 11, 1, tzinfo=UTC))
    assert "The first 60 deliveries of more" in said(client.get(PATH))
    assert client.get(PATH + "?p=2").status_code == 200


def test_it_offers_years_then_months_then_days_from_the_first_row_to_the_last(hub: Hub) -> None:
    Delivery.objects.all().delete()
    deliver(hub, datetime(2024, 11, 30, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC))
    client = browser(hub.operator)
    assert dates(client.get(PATH)) == ["2024", "2025", "2026"]
    assert dates(client.get(PATH + "?at__year=2026")) == ["All dates", "February 2026", "March 2026", "April 2026"]
    of_february = client.get(PATH + "?at__year=2026&at__month=2")
    assert dates(of_february) == ["2026", "February 3"]
    assert dates(client.get(PATH + "?at__year=2026&at__month=2&at__day=3")) == ["February 2026", "February 3"]
    assert dates(client.get(PATH + "?at__year=2023")) == ["All dates"]


def test_it_offers_no_date_of_an_empty_table(hub: Hub) -> None:
    Delivery.objects.all().delete()
    assert b'aria-label="Dates"' not in browser(hub.operator).get(PATH).content


def test_it_offers_to_filter_by_what_the_rows_seen_belong_to(hub: Hub) -> None:
    organisations = Organisation.objects.values_list("pk", flat=True)
    offered = {str(pk) for pk in organisations if f"organisation__id__exact={pk}" in page(hub, "operator")}
    assert offered == {str(hub.aurora.member.pk), str(hub.borealis.member.pk)}
    offered = {str(pk) for pk in organisations if f"organisation__id__exact={pk}" in page(hub, "analyst")}
    assert offered <= {str(hub.aurora.member.pk)}


def test_it_names_lists_in_a_filter_without_a_query_for_each(hub: Hub) -> None:
    client = browser(hub.operator)
    with CaptureQueriesContext(connection) as queries:
        client.get(changelist(Delivery))
    assert sum('FROM "hashshare_publisher"' in it["sql"] for it in queries) == 0


def page(hub: Hub, role: str) -> str:
    return str(browser(hub.person(role)).get(PATH).content.decode())


def dates(answer: Any) -> list[str]:
    """What is offered, in order."""
    text = answer.content.decode()
    begun = text.index(DATES) + len(DATES)
    words = (
        re.sub(r"<[^>]+>", "", html.unescape(each)) for each in text[begun : text.index("</ul>", begun)].split("</li>")
    )
    return [word.strip(" \u2039\n") for word in words if word.strip()]
