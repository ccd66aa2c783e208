"""The coalition's daily figures: counted once, corrected until the day is over, never a hash in them."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hashshare.models import DailyStatistic, HashList, Organisation, Publisher
from hashshare.selectors.lists import heads
from hashshare.selectors.objects import target_object
from hashshare.selectors.statistics import daily_statistics, newest_day, newest_figures
from hashshare.services.counting import count_entries
from hashshare.services.deliveries import record_delivery
from hashshare.services.organisations import agree_to_be_named, suspend_organisation
from hashshare.services.statistics.daily import roll_up_recent, roll_up_statistics
from hashshare.wire import errors
from tests import builders as b

pytestmark = pytest.mark.django_db


@pytest.fixture
def images() -> b.Feed:
    feed, cobalt = b.feed(b.publisher()), b.member()
    feed.publish(feed.first([b.entry(), b.entry()]))
    b.subscribed(cobalt, feed)
    target = target_object(
        caller=cobalt.caller,
        domain="aurora.example",
        list_id=feed.list_id,
        digest=feed.row.manifest_digest,
        name="manifest.json",
        now=b.now(),
    )
    record_delivery(caller=cobalt.caller, target=target, now=b.now())
    count_entries(now=b.now())
    return feed


def test_it_counts_the_day(images: b.Feed) -> None:
    roll_up_recent(now=b.now())
    figures = newest_figures()
    expected = {
        "organisations": 2,
        "members": 1,
        "hotlines": 1,
        "countries": 2,
        "lists": 1,
        "entries": 2,
        "subscriptions": 1,
        "releases": 1,
        "upserts": 2,
        "withdrawals": 0,
        "deliveries": 1,
    }
    assert expected.items() <= figures.items()
    assert figures["delivered_bytes"] > 500
    assert newest_day() == b.now().astimezone(UTC).date()


def test_it_leaves_out_what_a_hotline_reads_of_its_own(images: b.Feed) -> None:
    caller = images.publisher.caller
    digest = images.row.manifest_digest
    own = target_object(
        caller=caller,
        domain="aurora.example",
        list_id=images.list_id,
        digest=digest,
        name="manifest.json",
        now=b.now(),
    )
    record_delivery(caller=caller, target=own, now=b.now())
    roll_up_recent(now=b.now())
    assert newest_figures()["deliveries"] == 1


def rows_of_today() -> dict[tuple[str, str], tuple[int, int]]:
    """Metric and dimension to the value and how much of it is private."""
    today = b.now().date()
    rows = daily_statistics(since=today, until=today)
    return {(row.metric, row.dimension): (row.value, row.private) for row in rows}


def test_it_counts_by_country_sector_hotline_and_what_entries_say(images: b.Feed) -> None:
    roll_up_recent(now=b.now())
    rows = rows_of_today()
    assert rows["deliveries", "country:DE"] == rows["deliveries", "hotline:aurora.example"] == (1, 1)
    assert rows["deliveries", "sector:"] == (1, 1)
    assert rows["organisations", "country:NL"] == (1, 0)
    assert rows["members", "hotline:aurora.example"] == (1, 1)
    assert rows["releases", "hotline:aurora.example"] == rows["releases", "country:NL"] == (1, 0)
    assert rows["entries", "hotline:aurora.example"] == (2, 0)
    assert rows["entries", "|category:uk-abc A"] == rows["entries", "country:NL|category:uk-abc A"] == (2, 0)
    assert rows["hashes", "|algorithm:sha256"] == rows["hashes", "|algorithm:md5"] == (2, 0)
    assert rows["hashes", ""] == (4, 0)


def test_it_keeps_apart_what_unnamed_organisations_stand_behind(images: b.Feed) -> None:
    granite = b.member("Granite")
    roll_up_recent(now=b.now())
    assert rows_of_today()["members", ""] == (2, 2)
    agree_to_be_named(organisation=granite.organisation, now=b.now())
    roll_up_recent(now=b.now())
    assert rows_of_today()["members", ""] == rows_of_today()["members", "country:DE"] == (2, 1)


def test_it_forgets_in_the_day_what_is_there_no_more(images: b.Feed) -> None:
    sweden = b.party("member", "Mica", country="SE")
    roll_up_recent(now=b.now())
    assert ("members", "country:SE") in rows_of_today()
    suspend_organisation(organisation=sweden.organisation)
    roll_up_recent(now=b.now())
    assert ("members", "country:SE") not in rows_of_today()
    assert rows_of_today()["members", ""] == (1, 1)


def test_it_writes_nothing_where_nothing_has_changed(images: b.Feed) -> None:
    roll_up_recent(now=b.now())
    with CaptureQueriesContext(connection) as queries:
        roll_up_recent(now=b.now())
    assert not [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_it_writes_a_day_again_instead_of_adding_to_it(images: b.Feed) -> None:
    roll_up_recent(now=b.now())
    before = sorted(DailyStatistic.objects.values_list("day", "metric", "dimension", "value"))
    roll_up_recent(now=b.now())
    assert sorted(DailyStatistic.objects.values_list("day", "metric", "dimension", "value")) == before


def test_it_leaves_the_levels_of_a_past_day_alone(images: b.Feed) -> None:
    yesterday = b.now().date() - timedelta(days=1)
    DailyStatistic.objects.create(day=yesterday, metric="members", dimension="", value=77)
    roll_up_recent(now=b.now())
    assert DailyStatistic.objects.get(day=yesterday, metric="members").value == 77
    assert DailyStatistic.objects.get(day=yesterday, metric="releases", dimension="").value == 0


def test_it_hides_private_lists(images: b.Feed) -> None:
    hidden = b.feed(images.publisher, "hidden", visibility="private")
    hidden.publish(hidden.first([b.entry()]))
    roll_up_statistics(day=b.now().date(), now=b.now())
    assert not DailyStatistic.objects.filter(dimension__contains="hidden").exists()


def test_it_records_deliveries_of_manifests_only(images: b.Feed) -> None:
    caller = images.publisher.caller
    assert heads(caller=caller, now=b.now())
    assert images.manifest is not None
    ref = images.manifest.base.index
    target = target_object(
        caller=caller,
        domain="aurora.example",
        list_id=images.list_id,
        digest=ref.sha256,
        name=ref.name,
        now=b.now(),
    )
    with pytest.raises(errors.UsageError):
        record_delivery(caller=caller, target=target, now=b.now())


def test_it_counts_a_hotline_at_home_at_another_hub_while_a_list_of_it_is_served_here(images: b.Feed) -> None:
    """What it publishes is in the figures of what is shared, so it is one of those who share."""
    north = b.party("hub", "North", country="SE").organisation
    elsewhere = b.party("hotline", "Corona", domains=["corona.example"], country="SE").organisation
    Organisation.objects.filter(pk__in=[images.publisher.party.organisation.pk, elsewhere.pk]).update(state="mirrored")
    Publisher.objects.update(mirrored_from=north)

    roll_up_recent(now=b.now())

    assert newest_figures()["hotlines"] == 1  # of Corona, nothing is served
    HashList.objects.update(state="withdrawn")
    roll_up_recent(now=b.now())
    assert newest_figures()["hotlines"] == 0
